import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { GrpcClient } from '../support/grpc.js';
import { HandWorkerStream } from '../support/grpc-worker.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { until } from '../support/until.js';

let server: TestServer;
let grpc: GrpcClient;
async function start(leaseSeconds: string): Promise<void> {
  server = await startTestServer({ ENGINE_LEASE_SECONDS: leaseSeconds, ENGINE_CANCEL_GRACE_SECONDS: '60' });
  grpc = new GrpcClient(server.server.grpcAddress, server.token);
}
afterEach(async () => {
  grpc.close();
  await server.close();
});

const hello = { name: 'painter', types: ['paint'] };
const create = async (fields: object = {}) =>
  (await grpc.call('CreateTask', { task: { name: 'a task', type: 'paint', start: 'auto', ...fields } })).task as { id: string };
const get = async (id: string) => (await server.api('GET', `/tasks/${id}`)).body as Record<string, unknown>;
const reaches = (id: string, wanted: string) => until(`task to be ${wanted}`, async () => (await get(id)).status === wanted);

describe('the stream of a worker', () => {
  beforeEach(() => start('30'));

  test('brings tasks, takes results, and shows the worker in the list', async () => {
    const worker = await HandWorkerStream.start(grpc, { ...hello, labels: { region: 'eu' }, sdk: 'by-hand/1' });
    expect(worker.welcome).toMatchObject({ worker_id: 'painter@instance-1', heartbeat_ms: 5_000, lease_ms: 20_000 });
    const { id } = await create({ parameters: { colour: 'red' } });
    const [task] = await worker.assignments(1);
    expect(task).toMatchObject({ type: 'paint', parameters: { colour: 'red' }, tenant_id: 'default', lease: { task_id: id, attempt: 1 } });
    expect(await get(id)).toMatchObject({ status: 'running', worker_id: 'painter@instance-1' });
    expect((await server.api('GET', '/workers')).body.items).toMatchObject([
      {
        id: 'painter@instance-1',
        state: 'connected',
        door: 'grpc',
        types: ['paint'],
        queues: [],
        slots: 10,
        labels: { region: 'eu' },
        sdk: 'by-hand/1',
      },
    ]);
    expect(await worker.settle({ complete: [{ lease: task!.lease, result: { stringValue: 'unused' } }] })).toEqual([
      { task_id: id, status: 'completed' },
    ]);
    expect((await get(id)).status).toBe('completed');
    worker.finish();
    await until('it to leave the list', async () => (await server.api('GET', '/workers')).body.items.length === 0);
  });

  test('a task that finds room starts in the statement that inserts it, in its queue alone', async () => {
    const worker = await HandWorkerStream.start(grpc, { ...hello, queues: ['fast'] }, 10);
    let assigned = 0;
    // The first ones may come before the worker's room is known.
    const id = await until('one to start as it is inserted', async () => {
      const task = await create({ queue: 'fast' });
      const { lease } = (await worker.assignments(++assigned))[assigned - 1]!;
      const { queued_at, started_at } = await get(task.id);
      await worker.settle({ complete: [{ lease }], credit: 1 });
      return queued_at === started_at && task.id;
    });
    expect((await server.api('GET', `/tasks/${id}/events`)).body.items.map(({ action }: { action: string }) => action)).toEqual([
      'task_created',
      'task_started',
      'task_completed',
    ]);
    const elsewhere = await create({ queue: 'slow' });
    expect(await get(elsewhere.id)).toMatchObject({ status: 'queued', worker_id: null });
  });

  test('gives as many tasks as there is room for, and the next with the results', async () => {
    const worker = await HandWorkerStream.start(grpc, hello, 2);
    for (let index = 0; index < 5; index++) await create();
    const tasks = [...(await worker.assignments(2))];
    await worker.beat(tasks.map(({ lease }) => ({ lease })));
    expect(worker.assigned).toHaveLength(2);
    await worker.settle({ complete: tasks.map(({ lease }) => ({ lease })), credit: 2 });
    await worker.assignments(4);
    expect(worker.assigned).toHaveLength(4);
  });

  test('a failure is retried with its checkpoint, and the last one stays', async () => {
    const worker = await HandWorkerStream.start(grpc, hello);
    const { id } = await create({ max_attempts: 2, backoff: { kind: 'fixed', delay_seconds: 0, jitter: 0 } });
    const [first] = await worker.assignments(1);
    worker.say({ log: { lines: [{ lease: first!.lease, message: 'before the end' }] } });
    worker.say({ beat: { leases: [{ lease: first!.lease, progress: 40, progress_message: 'almost half', checkpoint: { page: 7 } }] } });
    expect(await worker.settle({ fail: [{ lease: first!.lease, code: 'NO_PAINT', message: 'empty' }] })).toEqual([
      { task_id: id, status: 'queued' },
    ]);
    const second = (await worker.assignments(2))[1]!;
    expect(second).toMatchObject({ lease: { task_id: id, attempt: 2 }, checkpoint: { page: 7 } });
    expect(await worker.settle({ fail: [{ lease: second.lease, code: 'NO_PAINT', message: 'still', retryable: false }] })).toEqual([
      { task_id: id, status: 'failed' },
    ]);
    expect(await get(id)).toMatchObject({ status: 'failed', attempt: 2, error: { code: 'NO_PAINT', message: 'still', attempt: 2 } });
    expect((await server.api('GET', `/tasks/${id}/logs`)).body.items).toMatchObject([
      { message: 'before the end', attempt: 1, level: 'info' },
    ]);
  });

  test('log lines keep their order, however many there are', async () => {
    const worker = await HandWorkerStream.start(grpc, hello);
    const { id } = await create();
    const [task] = await worker.assignments(1);
    const line = (index: number) => ({ lease: task!.lease, message: `line ${index}` });
    for (const from of [0, 1_000, 2_000]) worker.say({ log: { lines: Array.from({ length: 1_000 }, (_, index) => line(from + index)) } });
    await worker.settle({ complete: [{ lease: task!.lease }] });
    const rows = await server.server.kernel.database.api.queryText<{ message: string }>(
      'SELECT message FROM task_logs WHERE task_id = $1 ORDER BY id',
      [id],
    );
    expect(rows.map(({ message }) => message)).toEqual(Array.from({ length: 3_000 }, (_, index) => `line ${index}`));
  });

  test('a cancel reaches the worker at once and is repeated; the task ends cancelled', async () => {
    const worker = await HandWorkerStream.start(grpc, hello);
    const { id } = await create();
    const [task] = await worker.assignments(1);
    await server.api('POST', `/tasks/${id}/cancel`);
    await until('the cancel', () => worker.cancelled.length === 1);
    expect(worker.cancelled[0]).toEqual(task!.lease);
    await until('the delivery to be known', async () => (await get(id)).cancel_state === 'delivered');
    expect((await worker.beat([{ lease: task!.lease }])).cancel).toEqual([task!.lease]);
    expect(await worker.settle({ complete: [{ lease: task!.lease }] })).toEqual([{ task_id: id, status: 'cancelled' }]);
    expect(await get(id)).toMatchObject({ status: 'cancelled', cancel_state: 'stopped' });
  });

  test('a cancel that came while the worker was away reaches it when it is back', async () => {
    const worker = await HandWorkerStream.start(grpc, hello);
    const { id } = await create();
    const [task] = await worker.assignments(1);
    worker.cut();
    await until('the server to see it', async () => (await server.api('GET', '/workers')).body.items[0].state === 'gone');
    await server.api('POST', `/tasks/${id}/cancel`);
    expect(await get(id)).toMatchObject({ status: 'cancelling', cancel_state: 'requested' });
    const back = await HandWorkerStream.start(grpc, { ...hello, in_flight: [task!.lease] });
    await until('the cancel', () => back.cancelled.length === 1);
    await until('the delivery to be known', async () => (await get(id)).cancel_state === 'delivered');
    expect(await back.settle({ complete: [{ lease: task!.lease }] })).toEqual([{ task_id: id, status: 'cancelled' }]);
  });

  test('a result of a lease that is gone changes nothing and is told so', async () => {
    const worker = await HandWorkerStream.start(grpc, hello);
    const { id } = await create();
    const [task] = await worker.assignments(1);
    const forged = { ...task!.lease, lease_token: '00000000-0000-4000-8000-000000000000' };
    expect(await worker.settle({ complete: [{ lease: forged }] })).toEqual([{ task_id: id, status: 'lost' }]);
    expect((await worker.beat([{ lease: forged }, { lease: task!.lease }])).lost).toEqual([forged]);
    expect((await get(id)).status).toBe('running');
  });

  test('a result that cannot be stored is the failure of its attempt alone', async () => {
    const worker = await HandWorkerStream.start(grpc, hello);
    const [bad, good] = [await create(), await create()];
    const tasks = await worker.assignments(2);
    const leaseOf = (id: string) => tasks.find(({ lease }) => lease.task_id === id)!.lease;
    const settled = await worker.settle({
      complete: [
        { lease: leaseOf(bad.id), result: { fields: {}, text: 'a\0b' } },
        { lease: leaseOf(good.id), result: { fine: true } },
      ],
    });
    expect(settled.map(({ status: of }) => of)).toEqual(['refused', 'completed']);
    expect(await get(bad.id)).toMatchObject({ status: 'failed', error: { code: 'RESULT_NOT_STORABLE', retryable: false } });
  });

  test('the first message must be hello, and a bad one ends the stream with the fields', async () => {
    const worker = await HandWorkerStream.start(grpc, hello);
    worker.say({ settle: { complete: [{ lease: { task_id: 'x' } }] } });
    await until('the stream to end', () => worker.ended);
    expect(worker.error).toMatchObject({ code: status.INVALID_ARGUMENT, reason: 'VALIDATION_FAILED' });
    expect(worker.error!.fields[0]).toMatchObject({
      field: 'complete',
      description: expect.stringContaining('[0]: lease.task_id') as string,
    });
    await expect(HandWorkerStream.start(grpc, { name: 'no types' })).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
  });
});

describe('when a worker goes', () => {
  beforeEach(() => start('3'));

  test('what is rejected, or not listed for two heartbeats, goes back to its queue without counting', async () => {
    const worker = await HandWorkerStream.start(grpc, hello, 1);
    const { id } = await create();
    const [task] = await worker.assignments(1);
    worker.say({ reject: { leases: [task!.lease] } });
    await reaches(id, 'queued');
    worker.say({ credit: { slots: 1 } });
    await worker.assignments(2);
    // Two at once may have crossed the assignment on the way.
    await worker.beat([]);
    await worker.beat([]);
    expect((await get(id)).status).toBe('running');
    await until('it to be taken back', async () => {
      await worker.beat([]);
      return (await get(id)).status === 'queued';
    });
    expect((await server.api('GET', `/tasks/${id}/attempts`)).body.items).toMatchObject([{ status: 'released' }, { status: 'released' }]);
  });

  test('its tasks run elsewhere a moment after its stream broke', async () => {
    const worker = await HandWorkerStream.start(grpc, hello);
    const { id } = await create();
    await worker.assignments(1);
    const other = await HandWorkerStream.start(grpc, { ...hello, instance: 'instance-2' });
    worker.cut();
    await other.assignments(1);
    expect(other.assigned[0]!.lease).toMatchObject({ task_id: id, attempt: 2 });
    expect((await server.api('GET', `/tasks/${id}/attempts`)).body.items).toMatchObject([{ status: 'lost' }, { status: 'running' }]);
  });

  test('it may come back in time, to another replica, and keeps what it runs', async () => {
    const second = await startTestServer({ ENGINE_LEASE_SECONDS: '3' }, server.settings.DATABASE_URL);
    const elsewhere = new GrpcClient(second.server.grpcAddress, second.token);
    try {
      const worker = await HandWorkerStream.start(grpc, hello);
      const { id } = await create();
      const [task] = await worker.assignments(1);
      worker.cut();
      const gone = { ...task!.lease, task_id: '0198f3c2-7d1e-7a55-9b5e-3f0c8a1d2e4b' };
      const back = await HandWorkerStream.start(elsewhere, { ...hello, in_flight: [task!.lease, gone] });
      expect(back.welcome).toMatchObject({ confirmed: [task!.lease], revoked: [gone] });
      expect((await second.api('GET', '/workers')).body.items).toHaveLength(1);
      expect(await back.settle({ complete: [{ lease: task!.lease }] })).toEqual([{ task_id: id, status: 'completed' }]);
    } finally {
      elsewhere.close();
      await second.close();
    }
  });

  test('one that hangs loses its tasks after the lease, though its stream is open', async () => {
    const worker = await HandWorkerStream.start(grpc, hello);
    const { id } = await create();
    await worker.assignments(1);
    await until('the stream to be ended', () => worker.ended, 20_000);
    expect(worker.error).toMatchObject({ code: status.UNAVAILABLE });
    const other = await HandWorkerStream.start(grpc, { ...hello, instance: 'instance-2' });
    await other.assignments(1);
    expect(other.assigned[0]!.lease).toMatchObject({ task_id: id, attempt: 2 });
  });

  test('one that beats keeps its leases for longer than a lease', async () => {
    const worker = await HandWorkerStream.start(grpc, hello);
    const { id } = await create();
    const [task] = await worker.assignments(1);
    const begun = performance.now();
    while (performance.now() - begun < 5_000) {
      await worker.beat([{ lease: task!.lease }]);
      await new Promise((resolve) => setTimeout(resolve, worker.welcome!.heartbeat_ms));
    }
    expect(await worker.settle({ complete: [{ lease: task!.lease }] })).toEqual([{ task_id: id, status: 'completed' }]);
  });

  test('a stopping server tells it to drain, and leaves it its leases', async () => {
    const worker = await HandWorkerStream.start(grpc, hello);
    const { id } = await create();
    const [task] = await worker.assignments(1);
    const closing = server.server.close();
    await until('the drain', () => worker.drains.length === 1);
    expect(await worker.settle({ complete: [{ lease: task!.lease }] })).toEqual([{ task_id: id, status: 'completed' }]);
    await until('the stream to end', () => worker.ended);
    await closing;
  });

  test('drain and disconnect by an operator, on any replica', async () => {
    const worker = await HandWorkerStream.start(grpc, hello, 1);
    expect((await server.api('POST', '/workers/painter@instance-1/drain')).status).toBe(204);
    await until('the drain', () => worker.drains.length === 1);
    await until('the list to say so', async () => (await server.api('GET', '/workers')).body.items[0].state === 'draining');
    expect((await server.api('POST', '/workers/painter@instance-1/disconnect')).status).toBe(204);
    await until('the stream to end', () => worker.ended);
    expect((await server.api('POST', '/workers/painter@instance-1/drain')).status).toBe(404);
    await expect(grpc.call('DrainWorker', { id: 'nobody@nowhere-1' }, 'arkitect.v1.WorkerService')).rejects.toMatchObject({
      code: status.NOT_FOUND,
    });
  });
});

describe('workers that have HTTP alone', () => {
  beforeEach(() => start('30'));

  const profile = { name: 'curl', instance: 'instance-9', types: ['paint'] };

  test('poll, beat, log, complete', async () => {
    const polling = server.api('POST', '/workers/poll', { ...profile, wait_seconds: 30 });
    await until('the poller to be listed', async () => (await server.api('GET', '/workers')).body.items.length === 1);
    const { id } = await create({ parameters: { colour: 'blue' } });
    const polled = await polling;
    expect(polled.body).toMatchObject({
      worker_id: 'curl@instance-9',
      tasks: [{ lease: { task_id: id }, parameters: { colour: 'blue' } }],
    });
    const { lease } = polled.body.tasks[0];
    expect((await server.api('POST', '/workers/beat', { leases: [{ lease, progress: 50 }] })).body).toEqual({
      ok: 1,
      lost: [],
      cancel: [],
    });
    expect((await server.api('POST', '/workers/log', { lines: [{ lease, message: 'hello' }] })).status).toBe(204);
    expect((await server.api('POST', '/workers/complete', { lease, result: [1, 2] })).body).toEqual({ task_id: id, status: 'completed' });
    expect(await get(id)).toMatchObject({ status: 'completed', result: [1, 2], progress: 100 });
    expect(await server.api('POST', '/workers/complete', { lease, result: 1 })).toMatchObject({
      status: 409,
      body: { code: 'LEASE_LOST' },
    });
    expect(await server.api('POST', '/workers/fail', { lease })).toMatchObject({ status: 409, body: { code: 'LEASE_LOST' } });
  });

  test('an empty poll answers in time, a failure is told its next step', async () => {
    expect((await server.api('POST', '/workers/poll', { ...profile, wait_seconds: 0 })).body.tasks).toEqual([]);
    const { id } = await create({ max_attempts: 2 });
    const { lease } = (await server.api('POST', '/workers/poll', profile)).body.tasks[0];
    expect((await server.api('POST', '/workers/fail', { lease, message: 'no', retry_after_seconds: 60 })).body).toEqual({
      task_id: id,
      status: 'scheduled',
    });
    expect(await server.api('POST', '/workers/beat', { leases: [{ lease }] })).toMatchObject({
      body: { ok: 0, lost: [lease], cancel: [] },
    });
    expect(await server.api('POST', '/workers/poll', { ...profile, types: [] })).toMatchObject({
      status: 400,
      body: { errors: [{ field: 'types' }] },
    });
  });
});
