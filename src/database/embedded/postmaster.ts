import type { ChildProcess } from 'node:child_process';
import { closeSync, ftruncateSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { programPath, spawnAs } from './account.js';
import type { Account } from './account.js';
import { EmbeddedPostgresError } from './embedded-postgres-error.js';
import { killOrphans, stopPostmaster } from './leftovers.js';
import { parameterArguments } from './parameters.js';

const largestLog = 10 * 1024 * 1024;

export interface PostmasterOptions {
  account: Account;
  cluster: string;
  socketDirectory: string;
  logFile: string;
  parameters: Record<string, string>;
  log: (line: string) => void;
}

/** A running postmaster that accepts connections. */
export interface Postmaster {
  processId: number;
  /** How it ended, in words; resolves whether or not that was asked for. */
  ended: Promise<string>;
  stop(): Promise<void>;
}

/** Starts `postgres` and waits until it accepts connections, however long its crash recovery takes. */
export async function startPostmaster(options: PostmasterOptions): Promise<Postmaster> {
  const deadline = Date.now() + 15_000;
  for (;;) {
    const { postmaster, failure } = await startOnce(options);
    if (postmaster) return postmaster;
    // Sessions of a killed postmaster are still at work.
    if (!failure.includes('is still in use') || Date.now() > deadline) {
      throw new EmbeddedPostgresError(`PostgreSQL did not start. The end of ${options.logFile} says why: ${failure}`);
    }
    await killOrphans(options.cluster, options.account);
    await wait(200);
  }
}

type Attempt = { postmaster: Postmaster; failure?: undefined } | { postmaster?: undefined; failure: string };

async function startOnce({ account, cluster, socketDirectory, logFile, parameters, log }: PostmasterOptions): Promise<Attempt> {
  const output = openLog(logFile);
  const child = spawnAs(
    account,
    programPath(account.binaries, 'postgres'),
    ['-D', cluster, ...parameterArguments(socketDirectory, parameters)],
    {
      stdio: ['ignore', output.handle, output.handle],
      onOurDeath: 'INT',
    },
  );
  const state = { running: true };
  const trim = setInterval(() => output.trim(), 60_000).unref();
  const ended = new Promise<string>((resolve) => {
    const end = (how: string): void => {
      state.running = false;
      clearInterval(trim);
      output.close();
      resolve(how);
    };
    child.once('error', (error) => end(error.message));
    child.once('exit', (code, signal) => end(signal ? `it was ended by ${signal}` : `it ended with exit code ${code}`));
  });
  const started = Date.now();
  for (let waited = 0; state.running; waited += 1) {
    if (isReady(cluster, child.pid)) return { postmaster: supervise(child, ended, () => state.running) };
    await wait(5);
    if (waited % 2000 === 1999) log(`PostgreSQL is recovering since ${Math.round((Date.now() - started) / 1000)} s.`);
  }
  return { failure: `${output.tail()} (${await ended})` };
}

function supervise(child: ChildProcess, ended: Promise<string>, isRunning: () => boolean): Postmaster {
  // A process that calls process.exit() without stopping us first takes the database along.
  const onExit = (): void => void child.kill('SIGINT');
  process.once('exit', onExit);
  void ended.then(() => process.off('exit', onExit));
  child.unref();
  return {
    processId: child.pid ?? 0,
    ended,
    async stop() {
      child.ref();
      await stopPostmaster(isRunning, (signal) => void child.kill(signal));
      await ended;
    },
  };
}

/** The last line of postmaster.pid is the state; it says `ready` once connections are accepted. */
function isReady(cluster: string, pid: number | undefined): boolean {
  try {
    const lines = readFileSync(join(cluster, 'postmaster.pid'), 'utf8').trim().split(/\s*\n/);
    return Number(lines[0]) === pid && lines.at(-1) === 'ready';
  } catch {
    return false;
  }
}

interface Log {
  handle: number;
  /** Empties the file when it has grown too large. */
  trim(): void;
  /** What was written since it was opened, the end of it. */
  tail(): string;
  close(): void;
}

function openLog(file: string): Log {
  const handle = openSync(file, 'a', 0o600);
  const trim = (): void => {
    if (fstatSync(handle).size > largestLog) ftruncateSync(handle);
  };
  trim();
  const start = fstatSync(handle).size;
  return {
    handle,
    trim,
    tail: () => readFileSync(file).subarray(start).toString().trim().split('\n').slice(-5).join(' | '),
    close: () => closeSync(handle),
  };
}
