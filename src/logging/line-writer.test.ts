import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { beforeAll, expect, test } from 'vitest';
import { buildServer } from '../../test/support/server-process.js';
import { until } from '../../test/support/until.js';

const root = join(import.meta.dirname, '../..');
beforeAll(() => buildServer());

/** A process of its own that writes to its stdout. */
function run(code: string): ChildProcess {
  const program = `const { LineWriter } = await import(${JSON.stringify(join(root, 'dist/logging/line-writer.js'))});
    const writer = new LineWriter(1);
    const write = (from, to, length = 0) => { for (let n = from; n < to; n++) writer.write(n + 'x'.repeat(length) + '\\n'); };
    ${code}`;
  return spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'pipe'] });
}

const numbers = (output: string) =>
  output
    .split('\n')
    .slice(0, -1)
    .map((line) => parseInt(line, 10));
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);

test.each([
  ['ends by itself', 'write(0, 1000);'],
  ['calls process.exit', 'write(0, 1000); process.exit(3);'],
  ['dies of an uncaught error', 'write(0, 1000); throw new Error("broken");'],
  ['dies of a rejection that nobody takes', 'write(0, 1000); Promise.reject(new Error("broken"));'],
  ['is asked to stop', "process.on('SIGTERM', () => process.exit()); write(0, 1000); process.kill(process.pid, 'SIGTERM');"],
])('every line is written, in order, by a process that %s', async (_how, code) => {
  const child = run(code);
  expect(numbers(await text(child.stdout!))).toEqual(upTo(1_000));
});

test('a reader that is slow gets all of more than a pipe holds, and the lines of later turns after them', async () => {
  const child = run("write(0, 500, 1000); setImmediate(() => { write(500, 1000, 1000); process.stderr.write('written'); });");
  // Nothing is read until the writer has tried.
  await Promise.race([once(child.stderr!, 'data'), once(child.stdout!, 'readable')]);
  expect(numbers(await text(child.stdout!))).toEqual(upTo(1_000));
});

test('a process whose reader is gone goes on', async () => {
  const child = run("setInterval(() => { write(0, 10); process.stderr.write('.'); }, 5);");
  let turns = '';
  child.stderr!.on('data', (chunk: Buffer) => (turns += chunk.toString()));
  child.stdout!.destroy();
  await until('it to go on', () => turns.length > 5);
  child.kill();
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
  expect([code, signal]).toEqual([null, 'SIGTERM']);
});
