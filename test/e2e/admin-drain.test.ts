import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { GrpcClient } from '../support/grpc.js';
import { HandWorkerStream } from '../support/grpc-worker.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { until } from '../support/until.js';

let database: TestDatabase;
let a: TestServer;
let b: TestServer;
const token = 'a-token-of-the-tests-0123456789';
beforeAll(async () => {
  database = await createDatabase();
  const start = () => startTestServer({ ADMIN_TOKEN: token, ENGINE_SHUTDOWN_SECONDS: '2', ENGINE_LEASE_SECONDS: '30' }, database.url);
  [a, b] = [await start(), await start()];
});
afterAll(async () => {
  await Promise.all([a, b].map((server) => server.close()));
  await database.drop();
});

// What a test reads from an answer is checked by its assertions.
// oxlint-disable-next-line typescript/no-explicit-any
type Any = any;

const run = async (action: string, parameters: object, at = b) => (await at.api('POST', '/admin/actions', { action, parameters })).body;
const read = async (id: string) => (await b.api('GET', `/admin/actions/${id}`)).body;
const task = async (id: string) => (await b.api('GET', `/tasks/${id}`)).body;
const create = async (fields: object, at: TestServer) =>
  (await at.api('POST', '/tasks', { name: 'a task', start: 'auto', ...fields })).body.id as string;
const readiness = async (server: TestServer) => (await server.api('GET', '/health/ready')).body.details.lifecycle;

test('a replica that is drained from another one begins nothing, hands back what does not end in time, and sends its workers there', async () => {
  const replica_id = a.server.kernel.replicaId;
  const [short, long] = [
    await create({ type: 'sleep', parameters: { seconds: 1 } }, a),
    await create({ type: 'sleep', parameters: { seconds: 60 } }, a),
  ];
  const [grpcA, grpcB] = [a, b].map((server) => new GrpcClient(server.server.grpcAddress, token)) as [GrpcClient, GrpcClient];
  const hello = { name: 'painter', types: ['paint'] };
  const worker = await HandWorkerStream.start(grpcA, hello, 2);
  const painted = await create({ type: 'paint' }, a);
  const [assignment] = await worker.assignments(1);
  await until('both to run there', async () => (await task(long)).worker_id === replica_id && (await task(short)).worker_id === replica_id);

  const drain = await run('drain_replica', { replica_id });
  expect(drain).toMatchObject({ status: 'queued', replica_id, progress: 0 });
  await until('progress', async () => /attempts still run/.test((await read(drain.id)).progress_message ?? ''));
  await until('the worker to be told', () => worker.drains.length === 1);
  expect(await readiness(a)).toMatchObject({ status: 'down', state: 'draining' });
  expect((await readiness(b)).state).toBe('ready');
  // What is created there is begun elsewhere, at once.
  const created = await create({}, a);
  await until('it to be done elsewhere', async () => {
    const { status, worker_id } = await task(created);
    return status === 'completed' && worker_id === b.server.kernel.replicaId;
  });

  const ended = await until('the drain to end', async () => {
    const found = await read(drain.id);
    return found.finished_at !== null && found;
  });
  expect(ended).toMatchObject({ status: 'completed', progress: 100, result: { was_running: 3, resumed: false } });
  // The one that ended in time counts, the other one goes on elsewhere as if nothing had been.
  expect(await task(short)).toMatchObject({ status: 'completed', attempt: 1, worker_id: replica_id });
  await until('the long one to go on elsewhere', async () => (await task(long)).worker_id === b.server.kernel.replicaId);
  const attempts = (await b.api('GET', `/tasks/${long}/attempts`)).body.items;
  expect(attempts.map(({ status }: Any) => status)).toEqual(['released', 'running']);

  // The worker goes on with what it runs.
  await until('the stream to end', () => worker.ended);
  expect(worker.error).toMatchObject({ reason: 'UNAVAILABLE' });
  await expect(HandWorkerStream.start(grpcA, hello)).rejects.toMatchObject({ reason: 'UNAVAILABLE' });
  const moved = await HandWorkerStream.start(grpcB, { ...hello, in_flight: [assignment!.lease] });
  expect(moved.welcome!.confirmed).toEqual([assignment!.lease]);
  expect(await moved.settle({ complete: [{ lease: assignment!.lease }] })).toEqual([{ task_id: painted, status: 'completed' }]);
  moved.finish();

  const resumed = await run('resume_replica', { replica_id });
  await until('it to be resumed', async () => (await read(resumed.id)).status === 'completed');
  expect((await read(resumed.id)).result).toEqual({ was_draining: true });
  expect((await readiness(a)).state).toBe('ready');
  const back = await HandWorkerStream.start(grpcA, hello);
  back.finish();
  const begun = await until('it to begin tasks again', async () => {
    const id = await create({}, a);
    return (await until('it to end', async () => (await task(id)).status === 'completed' && task(id))).worker_id === replica_id;
  });
  expect(begun).toBe(true);
  await b.api('POST', `/tasks/${long}/cancel`);
  for (const grpc of [grpcA, grpcB]) grpc.close();
});

test('a drain that is resumed ends at once and takes nothing from anybody', async () => {
  const replica_id = b.server.kernel.replicaId;
  await a.api('POST', '/config', { changes: { ENGINE_SHUTDOWN_SECONDS: 600 } });
  const id = await create({ type: 'sleep', parameters: { seconds: 60 } }, b);
  await until('it to run', async () => (await task(id)).status === 'running');
  const holder = (await task(id)).worker_id as string;
  const at = holder === replica_id ? b : a;
  const grpc = new GrpcClient(at.server.grpcAddress, token);
  const hello = { name: 'painter', types: ['paint'] };
  const worker = await HandWorkerStream.start(grpc, hello);
  const painted = await create({ type: 'paint' }, at);
  const [assignment] = await worker.assignments(1);
  const drain = await run('drain_replica', { replica_id: holder }, at);
  await until('it to drain', async () => (await readiness(at)).state === 'draining' && worker.drains.length > 0);
  await run('resume_replica', { replica_id: holder }, at);
  const ended = await until('the drain to end', async () => {
    const found = await read(drain.id);
    return found.finished_at !== null && found;
  });
  expect(ended).toMatchObject({ status: 'completed', result: { was_running: 2, resumed: true } });
  expect(await task(id)).toMatchObject({ status: 'running', attempt: 1, worker_id: holder });
  // Workers that were told to take no more connect again for more.
  await until('the stream to end', () => worker.ended);
  const back = await HandWorkerStream.start(grpc, { ...hello, in_flight: [assignment!.lease] });
  expect(back.welcome!.confirmed).toEqual([assignment!.lease]);
  expect(await back.settle({ complete: [{ lease: assignment!.lease }] })).toEqual([{ task_id: painted, status: 'completed' }]);
  back.finish();
  grpc.close();
  await b.api('POST', `/tasks/${id}/cancel`);
});
