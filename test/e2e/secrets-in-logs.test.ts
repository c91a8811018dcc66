import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { GrpcClient } from '../support/grpc.js';
import { HandWorkerStream } from '../support/grpc-worker.js';
import { call } from '../support/server.js';
import { buildServer, spawnServer, type ServerProcess } from '../support/server-process.js';
import { ask, closeSockets, connectSocket, refusedSocket } from '../support/socket-client.js';
import { until } from '../support/until.js';

/* A server that logs all it ever logs, and a canary in every place where a secret comes in. */

const canary = 'canary7f3a';
const token = `root-${canary}-0123456789`;
const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';

let database: TestDatabase;
let server: ServerProcess;
let grpc: GrpcClient;

beforeAll(async () => {
  buildServer();
  database = await createDatabase();
  server = await spawnServer({
    LOG_LEVEL: 'trace',
    ADMIN_TOKEN: token,
    DATABASE_URL: withPassword(database.url),
    // Nobody is there, so all that is said of it is said.
    REDIS_URL: `redis://me:redis-${canary}@127.0.0.1:9`,
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
    OTEL_EXPORTER_OTLP_HEADERS: `x-api-key=otel-${canary}%20key`,
    OTEL_BSP_SCHEDULE_DELAY: '50',
    OTEL_BSP_EXPORT_TIMEOUT: '500',
    HTTP_ALLOW_HOSTS: '127.0.0.1',
  });
  grpc = new GrpcClient(/gRPC\s+(\S+:\d+)/.exec(server.output())![1]!, token);
});
afterEach(closeSockets);
afterAll(async () => {
  grpc?.close();
  await server?.kill();
  await database?.drop();
});

function withPassword(url: string): string {
  const changed = new URL(url);
  changed.password ||= `db-${canary}`;
  return changed.href;
}

const api = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
  call(server.url, method, path, body, { authorization: `Bearer ${token}`, ...headers });

interface Line {
  level: number;
  msg: string;
  [field: string]: unknown;
}

function lines(): Line[] {
  return server
    .output()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Line);
}

const answered = (fields: object) =>
  until(`a line with ${JSON.stringify(fields)}`, () =>
    lines().find(
      (line) =>
        line.msg === 'Request answered' &&
        Object.entries(fields).every(([name, value]) => JSON.stringify(line[name]) === JSON.stringify(value)),
    ),
  );

test('an answered request is a line with ids, names and numbers alone, on every door', async () => {
  const headers = { 'x-request-id': 'my-request', traceparent: `00-${traceId}-00f067aa0ba902b7-01` };
  await api('POST', `/tasks?wait=0&x=${canary}`, { name: 'a task' }, headers);
  const line = await answered({ request_id: 'my-request' });
  expect(line).toEqual({
    level: 20,
    time: expect.any(String),
    request_id: 'my-request',
    trace_id: traceId,
    tenant: 'default',
    principal: 'root',
    door: 'rest',
    method: 'POST',
    route: '/tasks',
    status: 400,
    duration_ms: expect.any(Number),
    msg: 'Request answered',
  });
  await grpc.call('ListTasks', {});
  expect(await answered({ door: 'grpc' })).toMatchObject({ method: 'TaskService/ListTasks', status: 'OK', tenant: 'default' });
  const client = await connectSocket(`${server.url}/tasks`, { auth: { token } });
  await ask(client, 'get', { id: 'no id' });
  expect(await answered({ door: 'socket.io' })).toMatchObject({ method: '/tasks get', status: 400, tenant: 'default' });
});

test('nothing of what is secret is ever logged', async () => {
  const wrong = `wrong-${canary}-0123456789`;
  const secret = { authorization: `Bearer handler-${canary}`, password: `handler-${canary}` };
  // Tokens, right and wrong, on each door.
  await api('GET', '/tasks', undefined, { authorization: `Bearer ${wrong}`, cookie: `session=${canary}` });
  await api('GET', `/tasks?token=${canary}&cursor=${canary}`);
  await api('GET', `/nowhere/${canary}?token=${canary}`);
  await refusedSocket(`${server.url}/tasks`, { auth: { token: wrong } });
  const client = await connectSocket(`${server.url}/tasks`, { auth: { token }, query: { token: canary } });
  await ask(client, 'create', { name: 'by message', parameters: secret, labels: { key: canary }, unknown: canary });
  await expect(new GrpcClient(/gRPC\s+(\S+:\d+)/.exec(server.output())![1]!, wrong).call('ListTasks')).rejects.toThrow('token');
  await grpc.call('CreateTask', { task: { name: 'by gRPC' }, idempotency_key: `key-${canary}` });
  // Bodies, also those that cannot be read.
  await api('POST', '/tasks', `{"name": "${canary}", `);
  await api('POST', '/tasks', { name: 'x', parameters: secret, idempotency_key: canary }, { 'idempotency-key': `key-${canary}` });
  // What handlers get, say and answer.
  const url = `http://127.0.0.1:9/?key=${canary}`;
  const call = { name: 'call', type: 'http.request', start: 'auto', parameters: { url, headers: secret, method: 'POST', body: canary } };
  expect((await api('POST', '/tasks?wait=20', call)).body).toMatchObject({ status: 'failed' });
  await api('POST', '/tasks?wait=20', { name: 'echo', start: 'auto', parameters: secret });
  const worker = await HandWorkerStream.start(grpc, { name: 'painter', types: ['paint'], labels: { key: canary } });
  await api('POST', '/tasks', { name: 'paint', type: 'paint', start: 'auto', parameters: secret });
  const [task] = await worker.assignments(1);
  worker.say({ log: { lines: [{ lease: task!.lease, message: `logged ${canary}` }] } });
  await worker.settle({ fail: [{ lease: task!.lease, code: 'BROKEN', message: `failed ${canary}` }] });
  await until('the lost traces to be told of', () => server.output().includes('Traces are not exported'));
  const sleep = { name: 'sleep', type: 'sleep', start: 'auto', parameters: { seconds: 1 } };
  const asleep = await api('POST', '/tasks', sleep, { traceparent: `00-${traceId}-00f067aa0ba902b7-01` });
  // Errors of the database, with all of it in the statements.
  await database.drop();
  expect((await api('POST', '/tasks', { name: canary, parameters: secret })).status).toBeGreaterThanOrEqual(500);
  await until('the outage to be told of', () => lines().some(({ level, err }) => level === 50 && err));
  expect(await answered({ level: 40 })).toMatchObject({ route: '/tasks' });
  const lost = await until('the outcome to be lost', () => lines().find(({ msg }) => msg.startsWith('The outcome of task')));
  expect(lost).toMatchObject({ task_id: asleep.body.id, attempt: 1, trace_id: traceId });
  expect(server.output()).not.toContain(canary);
});

test('a start that fails for a secret does not tell it either', async () => {
  const settings = {
    DATABASE_URL: `postgres://me:db-${canary}@a host`,
    ADMIN_TOKEN: canary,
    REDIS_URL: canary,
    OTEL_EXPORTER_OTLP_HEADERS: canary,
  };
  const failed = await spawnServer({ LOG_LEVEL: 'trace', ...settings }).then(
    () => 'it started',
    (error: Error) => error.message,
  );
  for (const key of Object.keys(settings)) expect(failed).toContain(`${key} is not valid`);
  expect(failed).not.toContain(canary);
});
