import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { definitionOf, settingKeys } from '../../src/settings.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { streamEvents } from '../support/event-stream.js';
import { GrpcClient } from '../support/grpc.js';
import { call, startTestServer, type TestServer } from '../support/server.js';
import { ask, closeSockets, connectSocket } from '../support/socket-client.js';
import { until } from '../support/until.js';

/* A canary in every secret setting, and a generated token: nothing under /admin, no line and no row may hold one. */

const canary = () => `canary-${randomBytes(12).toString('hex')}`;
const canaries: Record<string, string> = { database: canary(), redis: canary(), headers: canary(), traceHeaders: canary() };
const service = 'arkitect.v1.AdminService';
const lines: string[] = [];
let directory: string;
let database: TestDatabase;
let server: TestServer;
let token: string;

beforeAll(async () => {
  database = await createDatabase();
  directory = mkdtempSync(join(tmpdir(), 'arkitect-admin-secrets-'));
  const url = new URL(database.url);
  url.password ||= canaries.database!;
  canaries.database = url.password;
  const secrets = {
    DATABASE_URL: url.href,
    REDIS_URL: `redis://:${canaries.redis}@127.0.0.1:1`,
    OTEL_EXPORTER_OTLP_HEADERS: `x-key=${canaries.headers}`,
    OTEL_EXPORTER_OTLP_TRACES_HEADERS: `x-key=${canaries.traceHeaders}`,
    // Empty: one is generated.
    ADMIN_TOKEN: '',
  };
  expect(Object.keys(secrets).toSorted()).toEqual(settingKeys.filter((key) => definitionOf(key).secret).toSorted());
  const more = { LOG_LEVEL: 'trace', LOG_REQUESTS: 'all', DATA_DIR: directory, LOGS_STORED_PER_SECOND: '1000' } as const;
  server = await startTestServer({ ...secrets, ...more }, url.href, { log: { write: (line) => void lines.push(line) } });
  token = canaries.token = readFileSync(join(directory, 'admin-token'), 'utf8').trim();
});
afterEach(closeSockets);
afterAll(async () => {
  await server?.close();
  await database?.drop();
  rmSync(directory, { recursive: true });
});

function expectNoCanary(what: string, text: unknown): void {
  const said = typeof text === 'string' ? text : JSON.stringify(text);
  for (const [name, value] of Object.entries(canaries)) expect(said.includes(value), `${what} holds the canary of ${name}`).toBe(false);
}

test('what anybody logs of a secret is not in the log, not in the database and on no door', async () => {
  const { logger } = server.server.kernel;
  const authorization = `Bearer ${token}`;
  const headers = { authorization };
  const get = async (path: string) => (await call(server.url, 'GET', path, undefined, headers)).body;
  const socket = await connectSocket(`${server.url}/admin`, { auth: { token } });
  const heard: unknown[] = [];
  socket.on('admin_log', (line) => heard.push(line));
  await ask(socket, 'subscribe_logs', { text: 'spilled' });
  const grpc = new GrpcClient(server.server.grpcAddress, token);
  const watched: unknown[] = [];
  const watch = grpc.stream('WatchLogs', { text: 'spilled' }, service);
  watch.on('error', () => undefined);
  watch.on('data', (answer: unknown) => watched.push(answer));
  await until('the watch to begin', () => watched.length === 1);
  const stream = streamEvents(await fetch(`${server.url}/admin/logs?follow=true&text=spilled`, { headers }));
  const streamed = [(await stream.next()).value];

  const all = Object.values(canaries);
  logger.warn(`spilled by text: ${all.join(' ')}`);
  logger.error(
    { err: new Error(all.join(' ')), deep: [{ list: all, [all[0]!]: { json: JSON.stringify(all) } }], headers },
    'spilled by fields',
  );
  logger.info({ url: `postgres://me:${encodeURIComponent(all[0]!)}@localhost/db` }, 'spilled by URL');

  while (streamed.length < 4) streamed.push((await stream.next()).value);
  await until('the other doors', () => heard.length === 3 && watched.length === 4);
  watch.cancel();
  await stream.return(undefined);
  const listed = await get('/admin/logs?text=spilled');
  expect(listed.items.map(({ msg }: { msg: string }) => msg.slice(0, 12))).toEqual(['spilled by U', 'spilled by f', 'spilled by t']);
  const rows = await server.server.kernel.database.api.queryText('SELECT l::text FROM log_lines l');
  expect(rows.length).toBeGreaterThan(3);
  for (const [what, said] of Object.entries({
    'GET /admin/logs': listed,
    'GET /admin/logs, all of it': await get('/admin/logs?limit=200'),
    'GET /admin/system': await get('/admin/system'),
    'GET /admin/health': await get('/admin/health'),
    'an event stream': streamed,
    admin_log: heard,
    logs: await ask(socket, 'logs', {}),
    system: await ask(socket, 'system', {}),
    health: await ask(socket, 'health', {}),
    WatchLogs: watched,
    ListLogs: await grpc.call('ListLogs', {}, service),
    GetSystem: await grpc.call('GetSystem', {}, service),
    GetHealth: await grpc.call('GetHealth', {}, service),
    'the table': rows,
    'GET /metrics/prometheus': await get('/metrics/prometheus'),
    'the log': lines.join(''),
  }))
    expectNoCanary(what, said);
  grpc.close();
});

test('following the log makes no lines that are followed', async () => {
  const headers = { authorization: `Bearer ${token}` };
  const stream = streamEvents(await fetch(`${server.url}/admin/logs?follow=true`, { headers }));
  const seen: string[] = [];
  const reading = (async () => {
    for await (const { event, data } of stream) {
      if (event === 'admin_log') seen.push(data.msg);
      if (data.msg === 'last') break;
    }
  })();
  const { logger, logs } = server.server.kernel;
  // Three storings, each of which wakes the follower.
  for (const mark of ['first', 'second', 'last']) {
    const { stored } = logs.state;
    logger.info(mark);
    await until(`${mark} to be stored`, () => logs.state.stored > stored);
  }
  await reading;
  const after = seen.slice(seen.indexOf('first'));
  expect(after.filter((msg) => msg !== 'first' && msg !== 'second' && msg !== 'last')).toEqual([]);
});
