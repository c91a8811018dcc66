import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Client } from '../src/index.js';
import { startServer, type TestServer } from './support/server.js';
import { aborted, finished, inState, workerOf } from './support/worker.js';

describe('the lease of an attempt', () => {
  let server: TestServer;
  let client: Client;

  beforeEach(async () => {
    server = await startServer({ ENGINE_LEASE_SECONDS: '3' });
    client = new Client({ address: server.address });
  });

  afterEach(async () => {
    server?.child.kill('SIGCONT');
    client?.close();
    await server?.stop();
  });

  test('is renewed for as long as the handler takes', async () => {
    const worker = workerOf(server).handle('long', async (_parameters, { signal }) => {
      // Its time limit ends it, long after the first lease would have run out.
      throw await aborted(signal);
    });
    await worker.start();
    const { id } = await client.create({ name: 'long', type: 'long', start: 'auto', timeoutSeconds: 7 });

    const task = await finished(client, id);
    expect(task).toMatchObject({ status: 'failed', attempt: 1, error: { code: 'TIMEOUT', retryable: true } });
  });

  test('ends for the worker, too, when the server says nothing any more; the task is run again', async () => {
    const reasons: Promise<unknown>[] = [];
    const worker = workerOf(server).handle('cut', async (_parameters, { signal }) => {
      if (reasons.length > 0) return 'second try';
      reasons.push(aborted(signal));
      return reasons[0];
    });
    await worker.start();
    const { id } = await client.create({ name: 'cut', type: 'cut', start: 'auto' });
    await inState(client, id, 'running');

    server.child.kill('SIGSTOP');
    expect(await reasons[0]).toMatchObject({ code: 'LEASE_LOST' });
    server.child.kill('SIGCONT');

    const task = await finished(client, id);
    expect(task).toMatchObject({ status: 'completed', result: 'second try' });
  });
});
