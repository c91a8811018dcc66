import { expect, test } from 'vitest';
import { createLogger } from '../logger.js';
import { loadSettings } from '../settings.js';
import { RequestLog } from './request-log.js';

function told(environment: Record<string, string>): string[] {
  const text: string[] = [];
  const { settings } = loadSettings(environment, '/nonexistent');
  const log = new RequestLog(createLogger(settings, { write: (line: string) => void text.push(line) }), settings);
  const context = { request_id: 'r-1' };
  log.request('GET', '/tasks', 200, 0.001, context);
  log.request('GET', '/tasks', 503, 0.001, context);
  log.call('TaskService/GetTask', 0, 0.001, context);
  log.call('TaskService/GetTask', 5, 0.001, context);
  log.call('TaskService/GetTask', 14, 0.001, context);
  log.message('/tasks', 'get', 200, 0.001, context);
  log.message('/tasks', 'get', 500, 0.001, context);
  return text.map((line) => {
    const { level, door, status } = JSON.parse(line) as { level: number; door: string; status: unknown };
    return `${level} ${door} ${String(status)}`;
  });
}

const failures = ['40 rest 503', '40 grpc UNAVAILABLE', '40 socket.io 500'];
const all = (level: number) => [
  `${level} rest 200`,
  '40 rest 503',
  `${level} grpc OK`,
  `${level} grpc NOT_FOUND`,
  '40 grpc UNAVAILABLE',
  `${level} socket.io 200`,
  '40 socket.io 500',
];

test.each([
  ['by default errors of the server alone', {}, failures],
  ['at the level debug all', { LOG_LEVEL: 'debug' }, all(20)],
  ['all by wish', { LOG_REQUESTS: 'all' }, all(30)],
  ['none by wish', { LOG_REQUESTS: 'none', LOG_LEVEL: 'debug' }, []],
  ['none below the least level', { LOG_REQUESTS: 'all', LOG_LEVEL: 'error' }, []],
])('what is logged: %s', (_, environment: Record<string, string>, expected) => {
  expect(told(environment)).toEqual(expected);
});
