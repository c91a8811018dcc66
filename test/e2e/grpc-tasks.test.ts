import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GrpcClient, rpcs, type RpcError } from '../support/grpc.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { until } from '../support/until.js';

let server: TestServer;
let grpc: GrpcClient;
beforeAll(async () => {
  server = await startTestServer();
  grpc = new GrpcClient(server.server.grpcAddress, server.token);
});
afterAll(async () => {
  grpc.close();
  await server.close();
});

const refused = (call: Promise<unknown>): Promise<RpcError> =>
  call.then(
    () => Promise.reject(new Error('The call was accepted.')),
    (error: RpcError) => error,
  );
const missing = '0198f3c2-7d1e-7a55-9b5e-3f0c8a1d2e4b';

describe('tasks over gRPC', () => {
  test('a task is created, run and read, with the same fields as over REST', async () => {
    const parameters = { text: 'ünïcode', list: [1, 2.5, null, true, { deep: {} }], empty: [] };
    const task = { name: 'over gRPC', parameters, labels: { team: 'a' }, start: 'auto', max_attempts: 2 };
    const { task: created, replayed } = await grpc.call('CreateTask', { task, wait_seconds: 10 });
    expect(replayed).toBe(false);
    expect(created).toMatchObject({
      name: 'over gRPC',
      status: 'completed',
      result: parameters,
      labels: { team: 'a' },
      max_attempts: 2,
      version: 3,
    });
    const rest = await server.api('GET', `/tasks/${created.id}`);
    const present = Object.fromEntries(Object.entries(rest.body as object).filter(([, value]) => value !== null));
    const { task: read } = await grpc.call('GetTask', { id: created.id });
    // protobuf knows no difference between an empty map and none.
    expect({ ...read, _result: undefined }).toMatchObject(present);
    expect(await grpc.call('ListTasks', { label: ['team=a'] })).toMatchObject({ items: [{ id: created.id }] });
  });

  test('a bare value is a result, too', async () => {
    const { task } = await grpc.call('CreateTask', { task: { name: 'bare', start: 'auto' }, wait_seconds: 10 });
    expect(task.status).toBe('completed');
    expect(task.result).toEqual({});
  });

  test('the two-step flow, edits, cancel, retry, delete', async () => {
    const { task: created } = await grpc.call('CreateTask', {
      task: { name: 'steps', type: 'sleep', parameters: { seconds: 60 }, labels: { a: '1', b: '2' } },
    });
    expect(created.status).toBe('pending');
    const { task: updated } = await grpc.call('UpdateTask', {
      id: created.id,
      version: 1,
      task: { name: 'other', labels: { c: '3' } },
      remove_labels: ['a'],
    });
    expect(updated).toMatchObject({ name: 'other', labels: { b: '2', c: '3' }, version: 2 });
    const { task: replaced } = await grpc.call('ReplaceTask', {
      id: created.id,
      task: { name: 'whole', type: 'sleep', parameters: { seconds: 60 } },
    });
    expect(replaced).toMatchObject({ name: 'whole', version: 3 });
    expect(await refused(grpc.call('UpdateTask', { id: created.id, version: 1, task: {} }))).toMatchObject({
      code: status.FAILED_PRECONDITION,
      reason: 'VERSION_MISMATCH',
    });
    expect((await grpc.call('ExecuteTask', { id: created.id })).task.status).toBe('queued');
    await until('task to run', async () => (await grpc.call('GetTask', { id: created.id })).task.status === 'running');
    expect((await grpc.call('CancelTask', { id: created.id })).task.status).toBe('cancelling');
    await until('task to end', async () => (await grpc.call('GetTask', { id: created.id })).task.status === 'cancelled');
    expect((await grpc.call('RetryTask', { id: created.id })).task.status).toBe('queued');
    await until('task to run again', async () => (await grpc.call('GetTask', { id: created.id })).task.attempt === 2);
    expect((await grpc.call('ListTaskAttempts', { id: created.id })).items.map(({ status: of }: { status: string }) => of)).toEqual([
      'cancelled',
      'running',
    ]);
    const { items } = await grpc.call('ListTaskEvents', { id: created.id, limit: 2 });
    expect(items.map(({ action }: { action: string }) => action)).toEqual(['task_created', 'task_updated']);
    expect((await grpc.call('CancelTask', { id: created.id })).task.status).toBe('cancelling');
    await until('task to end', async () => (await grpc.call('GetTask', { id: created.id })).task.status === 'cancelled');
    expect(await grpc.call('DeleteTask', { id: created.id })).toEqual({});
    expect(await refused(grpc.call('GetTask', { id: created.id }))).toMatchObject({ code: status.NOT_FOUND, reason: 'NOT_FOUND' });
  });

  test('many at once: good ones beside bad ones, a key answers again', async () => {
    const message = { tasks: [{ name: 'good' }, { name: '' }], idempotency_key: 'bulk-1' };
    const first = await grpc.call('CreateTasks', message);
    expect(first).toMatchObject({
      created: 1,
      failed: 1,
      items: [{ task: { name: 'good' } }, { error: { code: 'VALIDATION_FAILED', errors: [{ field: 'name' }] } }],
    });
    expect(await grpc.call('CreateTasks', message)).toMatchObject({
      created: 1,
      replayed: true,
      items: [{ task: { id: first.items[0].task.id } }, {}],
    });
  });

  test('every bad field is named, as REST names it', async () => {
    const error = await refused(
      grpc.call('CreateTask', {
        task: { name: '', priority: 'urgent', max_attempts: 0, parameters: JSON.parse('{"a": {"__proto__": 1}}') },
      }),
    );
    expect(error).toMatchObject({ code: status.INVALID_ARGUMENT, reason: 'VALIDATION_FAILED' });
    const fields = error.fields.map(({ field }) => field);
    const rest = await server.api('POST', '/tasks', { name: '', priority: 'urgent', max_attempts: 0 });
    const named = (rest.body as { errors: { field: string }[] }).errors.map(({ field }) => field);
    expect(fields.length).toBeGreaterThan(0);
    expect([...fields, 'name', 'priority', 'max_attempts']).toEqual(expect.arrayContaining(named));
  });
});

describe('every rpc, by its descriptor', () => {
  test.each(rpcs)('$service/$method refuses a call without a token', async ({ service, method }) => {
    const guarded = await startGuarded();
    const error = await refused(guarded.call(method, {}, service));
    expect(error).toMatchObject({ code: status.UNAUTHENTICATED, reason: 'UNAUTHENTICATED' });
  });

  /** A message whose every field holds what it may not. */
  const bad = { id: ['x'], limit: -1, task: { name: '' }, tasks: [], status: ['x'], cursor: -1 };
  const badFor = (method: string): object => {
    if (method === 'ListTasks' || method === 'WatchTasks') return { status: ['nothing'] };
    if (method === 'CreateTasks') return { tasks: [] };
    if (method === 'ListAlerts' || method === 'WatchAlerts') return { severity: ['nothing'] };
    if (method === 'ListAlertSilences') return { status: ['nothing'] };
    if (method === 'PutAlertRoutes') return { routes: [{ name: '' }] };
    if (method === 'TestAlertRoutes') return { severity: 'nothing' };
    if (method === 'VerifyAudit') return { head: 'x' };
    if (method === 'ExportAudit') return { door: 'x' };
    if (method === 'WatchLogs') return { level: 'nothing' };
    if (method === 'WatchConfig') return { since: -1 };
    if (method === 'GetAlertStats') return { days: 0 };
    if (method === 'CreateTask') return { task: bad.task };
    if (method === 'Work') return { hello: { name: '' } };
    return { id: 'no id / of anything', limit: -1 };
  };
  /** Nothing can be wrong with a message without fields. */
  const withoutFields = [
    'ListWorkers',
    'GetMetrics',
    'WatchMetrics',
    'ListMetricNames',
    'GetAlertRoutes',
    'GetConfig',
    'GetConfigSchema',
    'GetSystem',
    'GetHealth',
  ];

  test.each(rpcs.filter(({ method }) => !withoutFields.includes(method)))(
    '$service/$method refuses what is not valid',
    async ({ service, method }) => {
      const error = await refused(grpc.call(method, badFor(method), service));
      expect(error).toMatchObject({ code: status.INVALID_ARGUMENT, reason: 'VALIDATION_FAILED' });
      expect(error.fields.length).toBeGreaterThan(0);
    },
  );

  let guarded: GrpcClient | undefined;
  let guardedServer: TestServer | undefined;
  async function startGuarded(): Promise<GrpcClient> {
    guardedServer ??= await startTestServer({ AUTH_ANONYMOUS_ROLE: 'none' });
    return (guarded ??= new GrpcClient(guardedServer.server.grpcAddress));
  }
  afterAll(async () => {
    guarded?.close();
    await guardedServer?.close();
  });
});

test('not found, wrong state and unknown types have their own codes', async () => {
  expect(await refused(grpc.call('ExecuteTask', { id: missing }))).toMatchObject({ code: status.NOT_FOUND });
  const { task } = await grpc.call('CreateTask', { task: { name: 'done', start: 'auto' }, wait_seconds: 10 });
  expect(await refused(grpc.call('ExecuteTask', { id: task.id }))).toMatchObject({ code: status.FAILED_PRECONDITION, reason: 'CONFLICT' });
  const unknown = await refused(grpc.call('CreateTask', { task: { name: 'x', type: 'no.such' } }));
  expect(unknown.fields).toEqual([{ field: 'type', description: expect.stringContaining('no worker has announced it') as string }]);
});

test('a message above the limit is refused', async () => {
  const error = await refused(grpc.call('CreateTask', { task: { name: 'big', parameters: { text: 'x'.repeat(9 * 1024 * 1024) } } }));
  expect(error.code).toBe(status.RESOURCE_EXHAUSTED);
});
