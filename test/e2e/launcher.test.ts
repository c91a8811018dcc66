import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';

const repository = fileURLToPath(new URL('../..', import.meta.url));

/** Stands in for src/main.ts: says that it runs, and ends on what the launcher passes on. */
const stubServer = `
const end = (why: string) => (): void => { console.log('ended by', why); process.exit(0); };
process.on('SIGTERM', end('SIGTERM'));
process.on('SIGINT', end('SIGINT'));
process.on('disconnect', end('disconnect'));
if (process.argv[2] === 'count') {
  let count = 0;
  const add = (): void => void (count++ || setTimeout(() => { console.log('signals:', count); process.exit(0); }, 1000));
  for (const signal of ['SIGINT', 'SIGTERM']) process.removeAllListeners(signal).on(signal, add);
}
if (process.argv[2] === 'exit') process.exit(Number(process.argv[3]));
console.log('running', process.pid);
setInterval(() => {}, 1000);
`;

/** A checkout with the real scripts and dependencies, and a stub for the server. */
function checkout(): string {
  const root = mkdtempSync(join(tmpdir(), 'launcher-test-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  for (const name of ['scripts', 'package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json']) {
    cpSync(join(repository, name), join(root, name), { recursive: true });
  }
  symlinkSync(join(repository, 'node_modules'), join(root, 'node_modules'));
  mkdirSync(join(root, 'src'));
  writeFileSync(join(root, 'src', 'main.ts'), stubServer);
  return root;
}

interface Launched {
  child: ChildProcess;
  /** Everything it printed, once the launcher and the server have closed their output. */
  output: Promise<string>;
  code: Promise<number | null>;
}

function launch(root: string, ...args: string[]): Launched {
  return follow(spawn(process.execPath, [join(root, 'scripts', 'start.mjs'), ...args]));
}

function follow(child: ChildProcess): Launched {
  onTestFinished(() => void child.kill());
  const outputs = [child.stdout, child.stderr].map((stream) => text(stream ?? ReadableStream.from([])));
  return {
    child,
    output: Promise.all(outputs).then((parts) => parts.join('')),
    code: once(child, 'exit').then(([code]) => code as number | null),
  };
}

async function running({ child }: Launched): Promise<void> {
  let seen = '';
  const reached = new Promise<void>((resolve) => {
    child.stdout?.on('data', (chunk) => {
      seen += String(chunk);
      if (seen.includes('running')) resolve();
    });
  });
  await reached;
}

test('the server is compiled once, and again only when a source changed', async () => {
  const root = checkout();
  expect(await launch(root, 'exit', '0').output).toBe('Compiling…\n');
  expect(await launch(root, 'exit', '0').output).toBe('');
  const later = new Date(Date.now() + 60_000);
  utimesSync(join(root, 'src', 'main.ts'), later, later);
  expect(await launch(root, 'exit', '0').output).toBe('Compiling…\n');
  writeFileSync(join(root, 'src', 'new.ts'), 'export {};\n');
  await launch(root, 'exit', '0').output;
  rmSync(join(root, 'src', 'new.ts'));
  expect(await launch(root, 'exit', '0').output).toBe('Compiling…\n');
  expect(existsSync(join(root, 'dist', 'new.js'))).toBe(false);
});

test('a source that does not compile stops the launcher with the reason and leaves nothing behind', async () => {
  const root = checkout();
  await launch(root, 'exit', '0').output;
  writeFileSync(join(root, 'src', 'wrong.ts'), 'export const wrong: number = "text";\n');
  const { output, code } = launch(root, 'exit', '0');
  expect(await output).toMatch(/src\/wrong\.ts.*TS2322[^]*The server could not be compiled; the compiler says why above\./);
  expect(await code).toBe(1);
  expect(readdirSync(root).filter((name) => name.startsWith('.dist'))).toEqual([]);
});

test('what an interrupted build left is never used and is removed by the next', async () => {
  const root = checkout();
  mkdirSync(join(root, '.dist-999999999'));
  mkdirSync(join(root, 'dist'));
  writeFileSync(join(root, 'dist', 'main.js'), 'console.log("half a build");');
  expect(await launch(root, 'exit', '0').output).toBe('Compiling…\n');
  expect(existsSync(join(root, '.dist-999999999'))).toBe(false);
  expect(readFileSync(join(root, 'dist', 'main.js'), 'utf8')).toContain('sourceMappingURL');
});

test("the launcher ends with the server's exit code", async () => {
  expect(await launch(checkout(), 'exit', '7').code).toBe(7);
});

test.each(['SIGTERM', 'SIGINT'] as const)('%s reaches the server, and a clean stop is exit code 0', async (signal) => {
  const launched = launch(checkout());
  await running(launched);
  launched.child.kill(signal);
  expect(await launched.output).toContain(`ended by ${signal}`);
  expect(await launched.code).toBe(0);
});

test('a signal that arrives twice at once, as from a terminal and from npm, is one signal to the server', async () => {
  const launched = launch(checkout(), 'count');
  await running(launched);
  launched.child.kill('SIGINT');
  launched.child.kill('SIGTERM');
  expect(await launched.output).toContain('signals: 1\n');
});

test("a signal to npm's shell, which dies of it, stops the server", async () => {
  const root = checkout();
  const script = `'${process.execPath}' '${join(root, 'scripts', 'start.mjs')}'; true`;
  const launched = follow(spawn('/bin/sh', ['-c', script], { env: { ...process.env, npm_lifecycle_event: 'start' } }));
  await running(launched);
  launched.child.kill('SIGTERM');
  expect(await launched.output).toContain('ended by SIGTERM');
});

test('a launcher killed with kill -9 does not leave the server running', async () => {
  const launched = launch(checkout());
  await running(launched);
  launched.child.kill('SIGKILL');
  expect(await launched.output).toContain('ended by disconnect');
});
