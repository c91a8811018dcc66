import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, inject, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { streamEvents } from '../support/event-stream.js';
import { GrpcClient } from '../support/grpc.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { ask, closeSockets, connectSocket } from '../support/socket-client.js';
import { until } from '../support/until.js';
import { runInContext } from '../../src/transport/request-context.js';

interface Line {
  id: number;
  msg: string;
  level: string;
  replica_id: string;
  fields: Record<string, unknown>;
}

const service = 'arkitect.v1.AdminService';
const settings = { LOG_LEVEL: 'info', LOG_REQUESTS: 'all', LOGS_STORED_PER_SECOND: '1000' };
let database: TestDatabase;
let one: TestServer;
let two: TestServer;
let grpc: GrpcClient;

beforeAll(async () => {
  database = await createDatabase();
  const start = () =>
    startTestServer({ ...settings, ADMIN_TOKEN: 'a-token-of-the-log-tests' }, database.url, { log: { write: () => undefined } });
  [one, two] = await Promise.all([start(), start()]);
  grpc = new GrpcClient(one.server.grpcAddress, one.token);
});
afterEach(closeSockets);
afterAll(async () => {
  grpc?.close();
  await Promise.all([one?.close(), two?.close()]);
  await database?.drop();
});

const list = async (query: Record<string, string | number>): Promise<{ items: Line[]; next_cursor: number | null }> => {
  const search = new URLSearchParams(Object.entries(query).map(([key, value]) => [key, String(value)]));
  return (await one.api('GET', `/admin/logs?${search.toString()}`)).body;
};

/** All lines that match are there. */
const stored = (count: number, query: Record<string, string | number>) =>
  until(`${count} lines`, async () => {
    const { items } = await list({ limit: 200, ...query });
    return items.length >= count && items;
  });

const loggerOf = ({ server }: TestServer) => server.kernel.logger;

test('lines of every replica are listed newest first, page by page, and narrowed by any filter', async () => {
  const mark = randomUUID();
  const request_id = `request-${mark}`;
  const task_id = randomUUID();
  loggerOf(one).info({ pages: 3 }, `first ${mark}`);
  runInContext({ request_id }, () => loggerOf(one).warn(`second ${mark}`));
  runInContext({ task_id, attempt: 2 }, () => loggerOf(two).error({ err: new Error(`Broken like ${mark}`) }, `THIRD ${mark}`));
  const lines = await stored(3, { text: mark });
  const { id: first } = lines.find(({ msg }) => msg.startsWith('first'))!;
  expect(lines.map(({ id }) => id)).toEqual(lines.map(({ id }) => id).toSorted((a, b) => b - a));
  expect(lines.find(({ id }) => id === first)).toEqual({
    id: first,
    at: expect.stringMatching(/^\d{4}-.*Z$/),
    replica_id: one.server.kernel.replicaId,
    level: 'info',
    msg: `first ${mark}`,
    request_id: null,
    trace_id: null,
    task_id: null,
    fields: { pages: 3 },
  });
  const page = await list({ text: mark, limit: 2 });
  const rest = await list({ text: mark, limit: 2, cursor: page.next_cursor! });
  expect([...page.items, ...rest.items]).toEqual(lines);
  expect(rest.next_cursor).toBeNull();

  const found = async (query: Record<string, string | number>) => (await list(query)).items.map(({ msg }) => msg.split(' ')[0]);
  expect(new Set(await found({ text: mark, level: 'warn' }))).toEqual(new Set(['THIRD', 'second']));
  expect(await found({ text: `third ${mark}` })).toEqual(['THIRD']);
  expect(await found({ text: `broken like ${mark}` })).toEqual(['THIRD']);
  expect(await found({ request_id, level: 'warn' })).toEqual(['second']);
  expect(await found({ task_id })).toEqual(['THIRD']);
  expect(await found({ text: mark, replica_id: two.server.kernel.replicaId })).toEqual(['THIRD']);
  expect(await found({ text: mark, since: new Date(Date.now() + 60_000).toISOString() })).toEqual([]);
  expect(await found({ text: mark, until: '2020-01-01T00:00:00Z' })).toEqual([]);
  expect(await found({ text: `%${mark}` })).toEqual([]);

  const query = { text: mark, limit: 2 };
  const socket = await connectSocket(`${one.url}/admin`, { auth: { token: one.token } });
  expect(await ask(socket, 'logs', query)).toEqual(page);
  const answer = await grpc.call('ListLogs', query, service);
  expect(answer.items.map(({ msg }: Line) => msg)).toEqual(page.items.map(({ msg }) => msg));
  expect(answer.next_cursor).toBe(page.next_cursor);
});

test('what cannot be meant is refused by name, and others than admins by role, on every door', async () => {
  for (const [query, field] of [
    ['level=loud', 'level'],
    ['text=', 'text'],
    ['since=yesterday', 'since'],
    ['since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z', 'until'],
    ['cursor=0', 'cursor'],
    ['limit=201', 'limit'],
    ['after=1', 'after'],
    ['follow=true&cursor=4', 'cursor'],
    ['colour=red', 'colour'],
  ]) {
    const { status, body } = await one.api('GET', `/admin/logs?${query}`);
    expect({ query, status, field: body.errors?.[0].field }).toEqual({ query, status: 400, field });
  }
  expect((await fetch(`${one.url}/admin/logs`)).status).toBe(403);
  const socket = await connectSocket(`${one.url}/admin`);
  for (const message of ['logs', 'subscribe_logs', 'unsubscribe_logs'])
    expect(await ask(socket, message, {})).toMatchObject({ error: { code: 'FORBIDDEN' } });
  const anonymous = new GrpcClient(one.server.grpcAddress);
  for (const method of ['ListLogs', 'WatchLogs'])
    await expect(anonymous.call(method, {}, service)).rejects.toMatchObject({ reason: 'FORBIDDEN' });
  anonymous.close();
});

test('followers on every door get each line of two busy replicas once and in order, also when they come back', async () => {
  const mark = randomUUID();
  const total = 400;
  const socket = await connectSocket(`${one.url}/admin`, { auth: { token: one.token } });
  const bySocket: Line[] = [];
  socket.on('admin_log', (line: Line) => bySocket.push(line));
  const { id: begin } = await ask(socket, 'subscribe_logs', { text: mark });
  const byGrpc: Line[] = [];
  const call = new GrpcClient(two.server.grpcAddress, two.token).stream('WatchLogs', { text: mark, after: begin }, service);
  call.on('error', () => undefined);
  call.on('data', ({ line }: { line?: Line }) => line && byGrpc.push(line));
  const bySse: Line[] = [];
  const following = (async () => {
    // Cuts itself off again and again, and goes on where it was, on the other replica.
    for (let turn = 0, last = begin; bySse.length < total; turn++) {
      const { url, token } = turn % 2 ? one : two;
      const headers = { authorization: `Bearer ${token}`, accept: 'text/event-stream', 'last-event-id': String(last) };
      const controller = new AbortController();
      const response = await fetch(`${url}/admin/logs?text=${mark}`, { headers, signal: controller.signal });
      let taken = 0;
      for await (const { event, id, data } of streamEvents(response)) {
        last = Number(id);
        if (event !== 'admin_log') continue;
        bySse.push(data);
        if (++taken === 70 || bySse.length === total) break;
      }
      controller.abort();
    }
  })();
  for (let sent = 0; sent < total;) {
    for (let n = 0; n < 10; n++, sent++) loggerOf(sent % 2 ? one : two).info(`${mark} ${sent}`);
    // Some go with one storing, some with the next.
    await ask(socket, 'logs', { limit: 1 });
  }
  await following;
  await until('all lines on every door', () => bySocket.length >= total && byGrpc.length >= total);
  const listed = [...(await stored(200, { text: mark }))];
  listed.push(...(await list({ text: mark, limit: 200, cursor: listed.at(-1)!.id })).items);
  const ids = listed.map(({ id }) => id).toReversed();
  expect(ids).toHaveLength(total);
  for (const lines of [bySse, bySocket, byGrpc]) expect(lines.map(({ id }) => id)).toEqual(ids);
  expect(new Set(bySse.map(({ msg }) => msg)).size).toBe(total);

  await ask(socket, 'unsubscribe_logs');
  call.cancel();
  loggerOf(one).info(`${mark} nobody listens`);
  await stored(1, { text: `${mark} nobody` });
  expect(bySocket).toHaveLength(total);
});

test('a follower that comes back too late is told what is gone', async () => {
  const headers = { authorization: `Bearer ${one.token}` };
  const response = await fetch(`${one.url}/admin/logs?follow=true&after=999999999999`, { headers });
  for await (const { event, data } of streamEvents(response)) {
    expect(event).toBe('reset');
    expect(data.id).toBeLessThan(999_999_999_999);
    break;
  }
});

test('a replica has only so many followers, and room again when they have gone', async () => {
  const headers = { authorization: `Bearer ${two.token}`, accept: 'text/event-stream' };
  const controller = new AbortController();
  const follow = (signal: AbortSignal) => fetch(`${two.url}/admin/logs`, { headers, signal });
  const streams = await Promise.all(Array.from({ length: 100 }, () => follow(controller.signal)));
  // Each has begun.
  for (const stream of streams) await streamEvents(stream).next();
  const refused = await follow(AbortSignal.timeout(20_000));
  expect(refused.status).toBe(503);
  expect(await refused.json()).toMatchObject({ code: 'UNAVAILABLE', detail: expect.stringContaining('100 followers') });
  controller.abort();
  await until('room again', async () => {
    const again = new AbortController();
    const { status } = await follow(again.signal);
    again.abort();
    return status === 200;
  });
});

test('while the database is away the log goes on, and what waited is stored when it is back', async () => {
  const mark = randomUUID();
  const admin = new pg.Client({ connectionString: inject('postgresUrl') });
  await admin.connect();
  const { kernel } = one.server;
  try {
    await admin.query(`ALTER DATABASE ${database.name} ALLOW_CONNECTIONS false`);
    await admin.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${database.name}'`);
    kernel.logger.error(`the first ${mark}`);
    // More than may wait: the warning that all began with stays.
    for (let seconds = 0; seconds < 2; seconds++) {
      for (let n = 0; n < 900; n++) kernel.logger.info(`${mark} ${seconds} ${n}`);
      const { left_out, waiting } = kernel.logs.state;
      await until('the lines to wait', () => kernel.logs.state.waiting > waiting || kernel.logs.state.left_out > left_out);
      expect(kernel.logs.state.waiting).toBeLessThanOrEqual(1_000);
    }
    expect(kernel.logs.state.failing).toBe(true);
  } finally {
    await admin.query(`ALTER DATABASE ${database.name} ALLOW_CONNECTIONS true`);
    await admin.end();
  }
  await until('the lines to be stored', () => !kernel.logs.state.failing && kernel.logs.state.waiting === 0);
  expect((await stored(1, { text: `the first ${mark}` }))[0]).toMatchObject({ level: 'error' });
  expect((await list({ text: `${mark} 1 899` })).items).toHaveLength(1);
  const [told] = await stored(1, { text: 'lines were not kept', level: 'warn' });
  expect(told!.fields.left_out).toBeGreaterThan(700);
});
