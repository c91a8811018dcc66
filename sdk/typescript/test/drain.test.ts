import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Client, type HandlerContext } from '../src/index.js';
import { startServer, type TestServer } from './support/server.js';
import { Gate, until } from './support/until.js';
import { aborted, finished, inState, workerOf } from './support/worker.js';

let server: TestServer;
let client: Client;

beforeAll(async () => {
  // The list of workers is renewed three times in a lease.
  server = await startServer({ ENGINE_LEASE_SECONDS: '3' });
  client = new Client({ address: server.address });
});

afterAll(async () => {
  client?.close();
  await server?.stop();
});

function create(type: string): Promise<{ id: string }> {
  return client.create({ name: type, type, start: 'auto' });
}

describe('a worker that stops', () => {
  test('lets its handlers finish and takes nothing more', async () => {
    const gate = new Gate();
    const handled: string[] = [];
    const worker = workerOf(server).handle('drain.finish', async (_parameters, { task }) => {
      handled.push(task.id);
      await gate.opened;
      return 'finished';
    });
    await worker.start();
    const first = await create('drain.finish');
    await inState(client, first.id, 'running');

    const stopped = worker.stop();
    const drained = await until('the server knows', async () =>
      (await client.workers()).find(({ id, state }) => id === worker.id && state === 'draining'),
    );
    const second = await create('drain.finish');
    gate.open();
    await stopped;

    expect(drained.inFlight).toBe(1);
    expect(await client.get(first.id)).toMatchObject({ status: 'completed', result: 'finished' });
    expect(await client.get(second.id)).toMatchObject({ status: 'queued', attempt: 0 });
    expect(handled).toEqual([first.id]);
    expect((await client.workers()).map(({ id }) => id)).not.toContain(worker.id);
  });

  test('hands back what is not finished in time, with its checkpoint', async () => {
    let first: HandlerContext | undefined;
    const stuck = workerOf(server).handle('drain.back', async (_parameters, context) => {
      first = context;
      context.saveCheckpoint({ page: 7 });
      throw await aborted(context.signal);
    });
    await stuck.start();
    const { id } = await create('drain.back');
    await until('the handler has begun', () => first !== undefined);

    await stuck.stop({ limitSeconds: 0 });
    expect(first!.signal.reason).toMatchObject({ code: 'SHUTDOWN' });
    expect(await client.get(id)).toMatchObject({ status: 'queued' });

    const other = workerOf(server).handle('drain.back', (_parameters, { checkpoint }) => checkpoint);
    await other.start();
    expect(await finished(client, id)).toMatchObject({ status: 'completed', result: { page: 7 } });
    expect((await client.attempts(id)).items.map(({ status }) => status)).toEqual(['released', 'completed']);
  });

  test('hands back even what ignores its signal', async () => {
    const never = new Gate();
    const worker = workerOf(server).handle('drain.deaf', () => never.opened);
    await worker.start();
    const { id } = await create('drain.deaf');
    await inState(client, id, 'running');

    await worker.stop({ limitSeconds: 0 });

    expect(await client.get(id)).toMatchObject({ status: 'queued' });
  });

  test('delivers what a handler completes in spite of the signal', async () => {
    const worker = workerOf(server).handle('drain.late', async (_parameters, { signal }) => {
      await aborted(signal);
      return 'just in time';
    });
    await worker.start();
    const { id } = await create('drain.late');
    await inState(client, id, 'running');

    await worker.stop({ limitSeconds: 0 });

    expect(await client.get(id)).toMatchObject({ status: 'completed', result: 'just in time' });
  });
});

describe('a worker that the server drains', () => {
  test('finishes what it runs, and connects again', async () => {
    const gate = new Gate();
    const worker = workerOf(server).handle('drain.server', async () => {
      await gate.opened;
      return 'finished';
    });
    await worker.start();
    const before = await create('drain.server');
    await inState(client, before.id, 'running');

    await client.drainWorker(worker.id!);
    await until('the worker is draining', async () =>
      (await client.workers()).some(({ id, state }) => id === worker.id && state === 'draining'),
    );
    const after = await create('drain.server');
    gate.open();

    expect(await finished(client, before.id)).toMatchObject({ status: 'completed', attempt: 1 });
    expect(await finished(client, after.id)).toMatchObject({ status: 'completed', attempt: 1 });
  });
});
