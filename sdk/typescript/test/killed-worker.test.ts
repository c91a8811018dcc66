import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { Client } from '../src/index.js';
import { end, startServer } from './support/server.js';
import { finished, workerOf } from './support/worker.js';

test('a task whose worker is killed is run by another', async () => {
  const server = await startServer();
  const client = new Client({ address: server.address });
  try {
    const script = fileURLToPath(new URL('support/stuck-worker.ts', import.meta.url));
    const child = spawn(process.execPath, [script], {
      env: { ...process.env, ARKITECT_GRPC_URL: server.address },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    // The handler says that it has begun, which may be before the create is answered.
    const begun = once(child.stdout, 'data');
    const { id } = await client.create({ name: 'relay', type: 'relay', start: 'auto' });
    await begun;
    const first = await client.get(id);
    const other = workerOf(server).handle('relay', (_parameters, { task }) => `attempt ${task.attempt}`);
    await other.start();

    await end(child, 'SIGKILL');

    const task = await finished(client, id);
    expect(first).toMatchObject({ status: 'running', attempt: 1 });
    expect(task).toMatchObject({ status: 'completed', attempt: 2, result: 'attempt 2', workerId: other.id });
    expect(first.workerId).not.toBe(other.id);
    await other.stop();
  } finally {
    client.close();
    await server.stop();
  }
});
