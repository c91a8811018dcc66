import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { Client, version } from '../src/index.js';
import { end, startServer } from './support/server.js';
import { until } from './support/until.js';

const example = fileURLToPath(new URL('../examples/first_worker.ts', import.meta.url));

function read(path: string): string {
  return readFileSync(new URL(path, import.meta.url), 'utf8');
}

test('the first worker of the README greets, and ends on SIGTERM', async () => {
  const server = await startServer();
  const client = new Client({ address: server.address });
  const child = spawn(process.execPath, [example], {
    env: { ...process.env, ARKITECT_GRPC_URL: server.address },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  try {
    await until('it is connected', async () => (await client.workers()).some(({ name }) => name === 'first-worker'));
    const task = await client.create({ name: 'hello', type: 'greet', parameters: { name: 'Ada' }, start: 'auto' }, { waitSeconds: 20 });
    expect(task).toMatchObject({ status: 'completed', result: { greeting: 'Hello, Ada' } });
    expect((await client.logs(task.id)).items.map(({ message }) => message)).toEqual(['About to greet Ada']);
    expect(await end(child, 'SIGTERM')).toBe(0);
    expect(await client.workers()).toEqual([]);
  } finally {
    await end(child, 'SIGKILL');
    client.close();
    await server.stop();
  }
});

test('the README shows the first worker as it is, in less than 25 lines', () => {
  const source = read('../examples/first_worker.ts');
  expect(read('../README.md')).toContain(`\`\`\`ts\n${source}\`\`\``);
  expect(source.trimEnd().split('\n').length).toBeLessThan(25);
});

test('the version is that of the package', () => {
  expect(version).toBe((JSON.parse(read('../package.json')) as { version: string }).version);
});
