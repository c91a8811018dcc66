import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Client, type TaskStopped } from '../src/index.js';
import { startServer, type TestServer } from './support/server.js';
import { Gate, until } from './support/until.js';
import { aborted, finished, inState, workerOf } from './support/worker.js';

describe('a worker whose server goes away', () => {
  let server: TestServer;
  let client: Client;

  beforeEach(async () => {
    server = await startServer({ ENGINE_LEASE_SECONDS: '20' });
    client = new Client({ address: server.address });
  });

  afterEach(async () => {
    client?.close();
    await server?.stop();
  });

  /** A task that waits for the gate, and runs. */
  async function runningTask(gate: Gate): Promise<string> {
    let begun = false;
    const worker = workerOf(server).handle('gate', async (_parameters, { task }) => {
      begun = true;
      await gate.opened;
      return { attempt: task.attempt };
    });
    await worker.start();
    const { id } = await client.create({ name: 'gate', type: 'gate', start: 'auto' });
    await until('the handler has begun', () => begun);
    return id;
  }

  test('goes on with what it runs when the server is killed and comes back', async () => {
    const gate = new Gate();
    const id = await runningTask(gate);

    await server.kill();
    await server.restart();
    await until('the worker is there again', async () =>
      (await client.workers()).some(({ state, inFlight }) => state === 'connected' && inFlight === 1),
    );
    gate.open();

    const task = await finished(client, id);
    expect(task).toMatchObject({ status: 'completed', attempt: 1, result: { attempt: 1 } });
  });

  test('delivers what was finished while the server was gone', async () => {
    const gate = new Gate();
    const id = await runningTask(gate);

    await server.kill();
    gate.open();
    await server.restart();

    const task = await finished(client, id);
    expect(task).toMatchObject({ status: 'completed', attempt: 1, result: { attempt: 1 } });
  });

  test('stops what it runs when it is told that the leases are gone', async () => {
    let reason: Promise<unknown> | undefined;
    const worker = workerOf(server).handle('taken', async (_parameters, { signal, task }) => {
      if (task.attempt > 1 || reason) return 'elsewhere';
      reason = aborted(signal);
      throw await reason;
    });
    await worker.start();
    const { id } = await client.create({ name: 'taken', type: 'taken', start: 'auto' });
    await inState(client, id, 'running');

    await client.disconnectWorker(worker.id!);

    const task = await finished(client, id);
    expect((await reason) as TaskStopped).toMatchObject({ name: 'AbortError', code: 'LEASE_LOST' });
    expect(task).toMatchObject({ status: 'completed', result: 'elsewhere' });
  });
});
