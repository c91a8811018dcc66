import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess, SpawnOptions, SpawnSyncOptions } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import type { QueryResultRow } from 'pg';
import { onTestFinished } from 'vitest';
import type { EmbeddedPostgres, EmbeddedPostgresOptions } from '../../src/database/embedded-postgres.js';

export type Connection = EmbeddedPostgres['connection'];

const serverScript = fileURLToPath(new URL('embedded-server.mjs', import.meta.url));

/** What `embedded-server.mjs` says when it has started or was refused. */
export interface Outcome {
  started?: Pick<EmbeddedPostgres, 'connection' | 'processId' | 'way'>;
  refused?: string;
  name?: string;
}

/** A directory that all accounts can enter, removed after the test. */
export function temporaryDirectory(parent = '/tmp', mode = 0o755): string {
  const directory = mkdtempSync(`${parent}/embedded-test-`);
  chmodSync(directory, mode);
  onTestFinished(() => rmSync(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }));
  return directory;
}

/** Starts a process that owns the embedded PostgreSQL of `options.directory`; it is killed after the test. */
export function spawnServer(
  options: Partial<EmbeddedPostgresOptions>,
  spawnOptions: SpawnOptions = {},
): { child: ChildProcess; outcome: Promise<Outcome> } {
  const child = spawn(process.execPath, [serverScript, JSON.stringify(options)], { stdio: ['pipe', 'pipe', 'inherit'], ...spawnOptions });
  const outcome = readOutcome(child);
  onTestFinished(async () => {
    await kill(child);
    const { started } = await outcome;
    if (started) await until('PostgreSQL has ended with its server', () => !isRunning(started.processId));
  });
  return { child, outcome };
}

async function readOutcome(child: ChildProcess): Promise<Outcome> {
  if (!child.stdout) throw new Error('The server process has no output to read.');
  for await (const line of createInterface(child.stdout)) {
    const message = JSON.parse(line) as Outcome;
    if (message.started ?? message.refused) return message;
  }
  return {};
}

/** kill -9, and waits until the process is gone. */
export async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

export async function query<Row extends QueryResultRow>(connection: Connection, sql: string): Promise<Row[]> {
  const client = new Client(connection);
  // A server that dies during the query is reported twice: by the query, and by this event, which must have a listener.
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}

/** Waits for a condition with a generous limit. */
export async function until(what: string, condition: () => boolean, seconds = 20): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`Still not true after ${seconds} s: ${what}.`);
    await wait(5);
  }
}

/** Whether a process is at work; one that has ended but was not yet collected by its parent is not. */
export function isRunning(pid: number): boolean {
  try {
    if (process.platform === 'linux') return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

export const isRoot = process.getuid?.() === 0;

/** As root: whether an ordinary account could read this checkout (under /root it could not). */
export const othersCanEnter = isRoot && succeeds('test', ['-r', serverScript], { uid: 65534, gid: 65534 });

/** As root: whether user namespaces are allowed, as they are not in most containers. */
export const canUseNamespaces = isRoot && succeeds('unshare', ['-U', '--map-user=65534', '--map-group=65534', 'true'], {});

function succeeds(program: string, args: string[], options: SpawnSyncOptions): boolean {
  return spawnSync(program, args, options).status === 0;
}
