import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

/** The compiled program, to be built by `buildServer` first. */
export const cliProgram = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export interface CliResult {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** `arkitect` in processes of their own; `env` is all they know. */
export interface Cli {
  (...args: string[]): Promise<CliResult>;
  /** With this at its stdin. */
  withInput(input: string, ...args: string[]): Promise<CliResult>;
  /** The parsed answer of a command with `--output json`; throws when it fails. */
  // What a test reads from an answer is checked by its assertions.
  // oxlint-disable-next-line typescript/no-explicit-any
  json(...args: string[]): Promise<any>;
  /** One that goes on until it is killed. */
  start(...args: string[]): RunningCli;
}

export interface RunningCli {
  child: ChildProcess;
  /** All it has printed so far. */
  stdout(): string;
  stderr(): string;
  exited: Promise<number | null>;
}

export function cliFor(env: Record<string, string>, cwd?: string): Cli {
  const start = (args: string[]) =>
    spawn(process.execPath, [cliProgram, ...args], { cwd, env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env } });
  const run = async (input: string, args: string[]): Promise<CliResult> => {
    const child = start(args);
    child.stdin.end(input);
    const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
    return { code: code as number | null, stdout, stderr };
  };
  return Object.assign((...args: string[]) => run('', args), {
    withInput: (input: string, ...args: string[]) => run(input, args),
    async json(...args: string[]) {
      const { code, stdout, stderr } = await run('', [...args, '--output', 'json']);
      if (code !== 0) throw new Error(`arkitect ${args.join(' ')} ended with ${code}: ${stderr}`);
      return JSON.parse(stdout) as unknown;
    },
    start(...args: string[]): RunningCli {
      const child = start(args);
      const printed = { stdout: '', stderr: '' };
      child.stdout.on('data', (chunk: Buffer) => (printed.stdout += chunk.toString()));
      child.stderr.on('data', (chunk: Buffer) => (printed.stderr += chunk.toString()));
      const exited = once(child, 'exit').then(([code]) => code as number | null);
      return { child, stdout: () => printed.stdout, stderr: () => printed.stderr, exited };
    },
  });
}

/** Runs a shell's program text and answers what it printed; undefined where there is no such shell. */
export async function shell(name: string, args: string[]): Promise<CliResult | undefined> {
  const child = spawn(name, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const failed = new Promise<undefined>((resolve) => child.once('error', () => resolve(undefined)));
  const result = Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]).then(([stdout, stderr, [code]]) => ({
    code: code as number | null,
    stdout,
    stderr,
  }));
  result.catch(() => undefined);
  return Promise.race([failed, result]);
}
