import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test, type TestContext } from 'vitest';
import { startTestServer, type TestServer } from '../support/server.js';

const script = fileURLToPath(new URL('../../scripts/demo.mjs', import.meta.url));

type Given = Parameters<typeof startTestServer>[0];

async function start({ onTestFinished }: TestContext, settings?: Given): Promise<TestServer> {
  const server = await startTestServer(settings);
  onTestFinished(() => server.close());
  return server;
}

/** The demo as a child process whose output is no terminal. */
async function runDemo(server: TestServer, environment: Record<string, string> = {}): Promise<{ code: number; output: string }> {
  const child = spawn(process.execPath, [script], {
    env: { PATH: process.env.PATH, PORT: new URL(server.url).port, DATA_DIR: server.settings.DATA_DIR, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const [code] = (await once(child, 'close')) as [number];
  return { code, output };
}

/* The demo mostly waits, so the tests wait together. */

test.concurrent('the demo runs its tasks on the server that is there, tells of each, and ends well', async (context) => {
  const server = await start(context);
  const { code, output } = await runDemo(server);
  expect(code, output).toBe(0);
  const run = /demo=([0-9a-f]{8})/.exec(output)![1];
  const { items } = (await server.api('GET', `/tasks?limit=200&label=demo=${run}`)).body as {
    items: { name: string; status: string; attempt: number }[];
  };
  expect(items.length).toBeGreaterThanOrEqual(30);
  for (const { name, status } of items) {
    expect(['completed', 'failed', 'cancelled']).toContain(status);
    expect(output).toMatch(new RegExp(`task_${status} +${name}`));
  }
  expect(items.filter(({ attempt }) => attempt > 1).length).toBeGreaterThan(0);
  expect(items.find(({ name }) => name === 'Peek at the server itself')).toMatchObject({ status: 'failed' });
  expect(output).toContain(`All ${items.length} tasks ended as expected`);
  expect(output).toMatch(/retries +\d/);
  expect(output).toMatch(/queue wait, 95 of 100 +[\d.]+ m?s/);
  expect(output).toContain(`${server.url}/docs`);
  // Nothing for a terminal goes into a pipe.
  expect(output).not.toContain('\u001b');
});

test.concurrent('where callers without a token may not create tasks, the demo takes the token of the data directory', async (context) => {
  const server = await start(context, { AUTH_ANONYMOUS_ROLE: 'viewer' });
  writeFileSync(join(server.settings.DATA_DIR, 'admin-token'), `${server.token}\n`);
  const { code, output } = await runDemo(server);
  expect(code, output).toBe(0);
});

test.concurrent('without a token that counts, the demo says what it needs', async (context) => {
  const server = await start(context, { AUTH_ANONYMOUS_ROLE: 'none' });
  const { code, output } = await runDemo(server, { ADMIN_TOKEN: 'not-the-token-of-it' });
  expect(code).toBe(1);
  expect(output).toContain('Set ADMIN_TOKEN');
  expect((await server.api('GET', '/tasks')).body.items).toEqual([]);
});
