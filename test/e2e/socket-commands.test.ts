import type { Socket } from 'socket.io-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ask, closeSockets, connectSocket } from '../support/socket-client.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { until } from '../support/until.js';

const missing = '0198f3c2-7d1e-7a55-9b5e-3f0c8a1d2e4b';

let server: TestServer;
let socket: Socket;

beforeAll(async () => {
  server = await startTestServer();
  socket = await connectSocket(`${server.url}/tasks`, { auth: { token: server.token } });
});
afterAll(async () => {
  closeSockets();
  await server.close();
});

/** Two tasks that nobody touches differ in nothing but this. */
function withoutIdentity(answer: unknown): unknown {
  return JSON.parse(JSON.stringify(answer, (key, value: unknown) => ((key === 'id' || key.endsWith('_at')) && value ? '*' : value)));
}

/** An error without what is of one request, or differs by the fields that a message has in place of headers. */
function comparable(problem: object): unknown {
  return JSON.parse(JSON.stringify({ ...problem, request_id: undefined, type: undefined }).replaceAll(/; accepted are [a-z_, ]+/g, ''));
}

const body = { name: 'twin', type: 'sleep', parameters: { seconds: 0 }, queue: 'twins', labels: { a: 'b' } };

test('create answers as POST /tasks does', async () => {
  for (const given of [
    { name: 'plain' },
    body,
    { ...body, run_at: '2090-01-01T00:00:00Z' },
    { ...body, backoff: { kind: 'fixed' }, max_attempts: 3 },
  ]) {
    const rest = await server.api('POST', '/tasks', given);
    expect(rest.status).toBe(201);
    expect(withoutIdentity(await ask(socket, 'create', given))).toEqual(withoutIdentity(rest.body));
  }
});

test('create_bulk answers as POST /tasks/bulk does, with the bad tasks beside the good ones', async () => {
  const given = { tasks: [{ name: 'a' }, { name: '' }, { name: 'b', type: 'no.such.type' }, body] };
  const answer = await ask(socket, 'create_bulk', given);
  expect(withoutIdentity(answer)).toEqual(withoutIdentity((await server.api('POST', '/tasks/bulk', given)).body));
  expect(answer).toMatchObject({ created: 2, failed: 2 });
});

test.each([
  ['update', { priority: 'high', labels: { a: null, c: 'd' } }, 'PATCH', ''],
  ['execute', {}, 'POST', '/execute'],
  ['cancel', {}, 'POST', '/cancel'],
])('%s answers as its REST twin does', async (message, fields, method, path) => {
  const [one, other] = [await ask(socket, 'create', body), await ask(socket, 'create', body)];
  const rest = await server.api(method, `/tasks/${one.id}${path}`, method === 'PATCH' ? fields : undefined);
  expect(rest.status).toBe(200);
  const answer = await ask(socket, message, { id: other.id, ...fields });
  expect(answer).toMatchObject({ id: other.id, version: 2 });
  expect(withoutIdentity(answer)).toEqual(withoutIdentity(rest.body));
});

test('retry answers as its REST twin does', async () => {
  const ids = [await ask(socket, 'create', body), await ask(socket, 'create', body)].map(({ id }) => id as string);
  for (const id of ids) await ask(socket, 'cancel', { id });
  const rest = await server.api('POST', `/tasks/${ids[0]}/retry`);
  expect(withoutIdentity(await ask(socket, 'retry', { id: ids[1] }))).toEqual(withoutIdentity(rest.body));
  expect(rest.body).toMatchObject({ status: 'queued' });
});

test('get, attempts, logs, events and list tell what REST tells of the same tasks', async () => {
  const { body: task } = await server.api('POST', '/tasks?wait=30', { ...body, queue: 'read', start: 'auto' });
  expect(task.status).toBe('completed');
  const { id } = task as { id: string };
  for (const [message, payload, path] of [
    ['get', { id }, `/tasks/${id}`],
    ['get', { id: id.toUpperCase() }, `/tasks/${id.toUpperCase()}`],
    ['attempts', { id }, `/tasks/${id}/attempts`],
    ['logs', { id, limit: 1 }, `/tasks/${id}/logs?limit=1`],
    ['events', { id }, `/tasks/${id}/events`],
    ['events', { id, limit: 2 }, `/tasks/${id}/events?limit=2`],
    ['list', { queue: ['read'] }, '/tasks?queue=read'],
    ['list', { limit: 2, order: 'asc' }, '/tasks?limit=2&order=asc'],
    ['list', {}, '/tasks'],
  ] as const) {
    const rest = await server.api('GET', path);
    expect(rest.status).toBe(200);
    expect(await ask(socket, message, payload)).toEqual(rest.body);
  }
  expect((await ask(socket, 'events', { id })).items.map((event: { action: string }) => event.action)).toEqual(
    expect.arrayContaining(['task_created', 'task_started', 'task_completed']),
  );
});

test('delete takes the task away, and answers an empty object', async () => {
  const { id } = await ask(socket, 'create', body);
  expect(await ask(socket, 'delete', { id })).toEqual({});
  expect((await server.api('GET', `/tasks/${id}`)).status).toBe(404);
});

test('list without a payload lists', async () => {
  expect(await ask(socket, 'list')).toHaveProperty('items');
});

test('an idempotency_key counts on both doors as one', async () => {
  const given = { name: 'once', labels: { n: '1' } };
  const first = await ask(socket, 'create', { ...given, idempotency_key: 'k1' });
  expect(await ask(socket, 'create', { ...given, idempotency_key: 'k1' })).toEqual(first);
  const rest = await server.api('POST', '/tasks', given, { 'idempotency-key': 'k1' });
  expect(rest.headers.get('idempotency-replayed')).toBe('true');
  expect(rest.body).toEqual(first);
  expect(await ask(socket, 'create', { name: 'other', idempotency_key: 'k1' })).toMatchObject({
    error: { code: 'IDEMPOTENCY_KEY_REUSED' },
  });
});

test.each([
  ['create', {}, 'POST', '/tasks', {}],
  ['create', { name: 7 }, 'POST', '/tasks', { name: 7 }],
  ['create', { name: 'a', colour: 'red', size: 1 }, 'POST', '/tasks', { name: 'a', colour: 'red', size: 1 }],
  ['create', { name: 'a', depends_on: [missing] }, 'POST', '/tasks', { name: 'a', depends_on: [missing] }],
  ['create', { name: 'a', type: 'no.such' }, 'POST', '/tasks', { name: 'a', type: 'no.such' }],
  [
    'create',
    { name: 'a', type: 'sleep', parameters: { seconds: -1, x: 1 } },
    'POST',
    '/tasks',
    { name: 'a', type: 'sleep', parameters: { seconds: -1, x: 1 } },
  ],
  [
    'create',
    { name: 'a', priority: 'urgent', run_at: 'soon', labels: [] },
    'POST',
    '/tasks',
    { name: 'a', priority: 'urgent', run_at: 'soon', labels: [] },
  ],
  ['create', { name: 'a', backoff: { kind: 'x', jitter: 2 } }, 'POST', '/tasks', { name: 'a', backoff: { kind: 'x', jitter: 2 } }],
  ['create', [{ name: 'a' }], 'POST', '/tasks', [{ name: 'a' }]],
  ['create', { name: 'a\u0000b' }, 'POST', '/tasks', { name: 'a\u0000b' }],
  ['create_bulk', { tasks: [] }, 'POST', '/tasks/bulk', { tasks: [] }],
  ['create_bulk', { tasks: [{ name: 'a' }, {}], atomic: true }, 'POST', '/tasks/bulk', { tasks: [{ name: 'a' }, {}], atomic: true }],
  ['list', { limit: 0, status: ['nope'] }, 'GET', '/tasks?limit=0&status=nope'],
  ['list', { colour: 'red' }, 'GET', '/tasks?colour=red'],
  ['list', { cursor: 'x' }, 'GET', '/tasks?cursor=x'],
  ['get', { id: missing }, 'GET', `/tasks/${missing}`],
  ['get', { id: '00000000-0000-0000-0000-000000000001' }, 'GET', '/tasks/00000000-0000-0000-0000-000000000001'],
  ['get', { id: 'x' }, 'GET', '/tasks/x'],
  ['update', { id: missing, priority: 'high' }, 'PATCH', `/tasks/${missing}`, { priority: 'high' }],
  ['delete', { id: missing }, 'DELETE', `/tasks/${missing}`],
  ['execute', { id: missing }, 'POST', `/tasks/${missing}/execute`],
  ['cancel', { id: 'x' }, 'POST', '/tasks/x/cancel'],
  ['retry', { id: missing }, 'POST', `/tasks/${missing}/retry`],
  ['attempts', { id: missing }, 'GET', `/tasks/${missing}/attempts`],
  ['logs', { id: missing, limit: 1_000 }, 'GET', `/tasks/${missing}/logs?limit=1000`],
  ['events', { id: missing }, 'GET', `/tasks/${missing}/events`],
])('%s %j is refused as its REST twin is', async (message, payload, method, path, given?: unknown) => {
  const rest = await server.api(method, path, given);
  expect(rest.status).toBeGreaterThanOrEqual(400);
  const { error } = await ask(socket, message, payload);
  expect(error).toMatchObject({ code: rest.body.code, request_id: expect.stringMatching(/./) });
  expect(comparable(error)).toEqual(comparable(rest.body));
});

test('a conflict and a stale version are refused as over REST', async () => {
  const { id } = await ask(socket, 'create', body);
  await ask(socket, 'update', { id, version: 1, name: 'second' });
  const stale = await ask(socket, 'update', { id, version: 1, name: 'third' });
  expect(comparable(stale.error)).toEqual(
    comparable((await server.api('PATCH', `/tasks/${id}`, { name: 'third' }, { 'if-match': '"1"' })).body),
  );
  expect(await ask(socket, 'delete', { id, version: 1 })).toMatchObject({ error: { code: 'VERSION_MISMATCH', status: 412 } });
  const wrong = await ask(socket, 'retry', { id });
  expect(comparable(wrong.error)).toEqual(comparable((await server.api('POST', `/tasks/${id}/retry`)).body));
  expect(wrong.error).toMatchObject({ code: 'CONFLICT', status: 409 });
});

test.each([
  [{ id: 'x' }, 'id'],
  [{ id: [missing, 'x'] }, 'id'],
  [{ id: Array.from({ length: 101 }, () => missing) }, 'id'],
  [{ status: ['done'] }, 'status'],
  [{ label: ['nokey'] }, 'label'],
  [{ since: -1 }, 'since'],
  [{ since: '5' }, 'since'],
  [{ since: null }, 'since'],
  [{ limit: 5 }, 'limit'],
])('subscribe %j is refused, naming the field', async (payload, field) => {
  expect(await ask(socket, 'subscribe', payload)).toMatchObject({ error: { code: 'VALIDATION_FAILED', errors: [{ field }] } });
});

test('an unknown message is answered with the names of the known ones', async () => {
  const { error } = await ask(socket, 'task_created', { seq: 1 });
  expect(error).toMatchObject({ code: 'NOT_FOUND', status: 404 });
  for (const name of ['subscribe', 'unsubscribe', 'create', 'create_bulk', 'update', 'retry']) expect(error.detail).toContain(name);
});

test('a message without an ack does its work; its error arrives as an exception', async () => {
  socket.emit('create', { name: 'silent', queue: 'silent' });
  await until('the task is there', async () => (await ask(socket, 'list', { queue: 'silent' })).items.length === 1);
  for (const [message, payload, code] of [
    ['create', { name: '' }, 'VALIDATION_FAILED'],
    ['cancel', { id: missing }, 'NOT_FOUND'],
    ['nonsense', {}, 'NOT_FOUND'],
  ] as const) {
    const exception = new Promise((resolve) => socket.once('exception', resolve));
    socket.emit(message, payload);
    expect(await exception).toMatchObject({ error: { code } });
  }
});
