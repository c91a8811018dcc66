import { expect, test } from 'vitest';
import { createLogger, NestLogger } from './logger.js';
import { loadSettings } from './settings.js';
import { runInContext } from './transport/request-context.js';

const environment = {
  ADMIN_TOKEN: 'a-root-token-"quoted"',
  DATABASE_URL: 'postgres://me:pass-of-db@localhost/db',
  REDIS_URL: 'redis://:pass-of-first@a,redis://:pass-of-second@b',
  OTEL_EXPORTER_OTLP_HEADERS: 'x-api-key=key-of%20otel,x-scope=1',
  LOG_LEVEL: 'debug',
};

function capture(level = 'debug') {
  const text: string[] = [];
  const { settings } = loadSettings({ ...environment, LOG_LEVEL: level }, '/nonexistent');
  const logger = createLogger(settings, { write: (line: string) => void text.push(line) });
  return { logger, text, lines: () => text.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

test('secrets are removed by key at every depth that we log', () => {
  const { logger, text } = capture();
  logger.info(
    { authorization: 'Bearer abc', token: 'abc', headers: { authorization: 'Bearer abc' }, socket: { auth: { token: 'abc' } } },
    'hello',
  );
  expect(text.join('')).not.toContain('abc');
  expect(text.join('')).toContain('[redacted]');
});

test('the secrets of the settings are removed wherever they turn up', () => {
  const { logger, text } = capture();
  logger.info(`token ${environment.ADMIN_TOKEN}`);
  logger.error(new Error(`cannot connect to ${environment.DATABASE_URL}`));
  logger.warn({ anything: { deep: { deeper: { deepest: 'pass-of-db' } } } });
  logger.warn('AUTH pass-of-first, AUTH pass-of-second');
  logger.warn('401 for key-of otel, sent as key-of%20otel');
  expect(text).toHaveLength(5);
  expect(text.join('')).not.toMatch(/a-root-token|pass-of|key-of/);
  for (const line of text) expect(() => JSON.parse(line) as unknown).not.toThrow();
});

test('a line of a request carries its id', () => {
  const { logger, lines } = capture();
  runInContext({ request_id: 'r-1' }, () => logger.info('inside'));
  logger.info('outside');
  expect(lines()).toMatchObject([{ msg: 'inside', request_id: 'r-1' }, { msg: 'outside' }]);
  expect(lines()[1]).not.toHaveProperty('request_id');
});

test('a line of an attempt carries its task and its trace', () => {
  const { logger, lines } = capture();
  const trace = { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', tracestate: null };
  runInContext({ task_id: 't-1', attempt: 2, trace }, () => logger.info('inside'));
  expect(lines()).toEqual([
    expect.objectContaining({ msg: 'inside', task_id: 't-1', attempt: 2, trace_id: '4bf92f3577b34da6a3ce929d0e0e4736' }),
  ]);
  expect(lines()[0]).not.toHaveProperty('request_id');
});

test('of an error is told what all errors say, and not the rows that a driver has put on it', () => {
  const { logger, lines } = capture();
  const error = Object.assign(new Error('duplicate key'), {
    code: '23505',
    detail: 'Key (key)=(a secret)',
    where: 'a secret',
    rows: ['a secret'],
  });
  logger.warn({ err: error }, 'not stored');
  expect(lines()).toMatchObject([{ err: { type: 'Error', message: 'duplicate key', code: '23505', stack: expect.any(String) } }]);
  expect(Object.keys(lines()[0]!.err as object)).toEqual(['type', 'message', 'stack', 'code']);
});

test('less severe lines than LOG_LEVEL are left out', () => {
  const { logger, lines } = capture('warn');
  logger.info('less');
  logger.warn('enough');
  expect(lines()).toMatchObject([{ msg: 'enough' }]);
});

test('what Nest logs keeps its context, level and stack', () => {
  const { logger, lines } = capture();
  const nest = new NestLogger(logger);
  nest.log('started', 'Application');
  nest.error(new TypeError('broken'), undefined, 'Filter');
  nest.error('failed', 'stack of it', 'Loader');
  nest.warn({ some: 'object' }, 'Probe');
  expect(lines()).toMatchObject([
    { level: 30, msg: 'started', context: 'Application' },
    { level: 50, msg: 'broken', context: 'Filter', err: { type: 'TypeError', stack: expect.stringContaining('broken') } },
    { level: 50, msg: 'failed', context: 'Loader', details: ['stack of it'] },
    { level: 40, context: 'Probe', data: { some: 'object' } },
  ]);
});
