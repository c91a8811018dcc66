import { existsSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { isRunning, kill, query, spawnServer, temporaryDirectory, until } from '../../../test/support/embedded-processes.js';
import { startEmbeddedPostgres } from '../embedded-postgres.js';
import type { EmbeddedPostgres } from '../embedded-postgres.js';

const linux = process.platform === 'linux';

async function start(directory: string, log: (line: string) => void = () => {}): Promise<EmbeddedPostgres> {
  const embedded = await startEmbeddedPostgres({ directory, log });
  onTestFinished(() => embedded.stop());
  return embedded;
}

async function startedIn(server: ReturnType<typeof spawnServer>): Promise<Pick<EmbeddedPostgres, 'connection' | 'processId'>> {
  const { started, refused } = await server.outcome;
  if (!started) throw new Error(`The server did not start: ${refused}`);
  return started;
}

test.runIf(linux)('a server killed with kill -9 takes its database along, and the next one has all its rows', async () => {
  const directory = temporaryDirectory();
  const server = spawnServer({ directory });
  const { connection, processId } = await startedIn(server);
  await query(connection, 'CREATE TABLE kept AS SELECT 42 AS answer');
  await kill(server.child);
  await until('PostgreSQL has ended', () => !isRunning(processId));

  const next = await start(directory);
  expect(await query(next.connection, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
});

test('a server can start at once after kill -9, while the old database is still there', async () => {
  const directory = temporaryDirectory();
  for (let round = 0; round < 3; round += 1) {
    const server = spawnServer({ directory });
    const { connection } = await startedIn(server);
    await query(connection, `CREATE TABLE round_${round} ()`);
    await kill(server.child);
  }
  const next = await start(directory);
  expect(await query(next.connection, `SELECT FROM pg_tables WHERE tablename LIKE 'round_%'`)).toHaveLength(3);
});

test.runIf(linux)('where setpriv is missing, a database that outlived its server is stopped by the next start', async () => {
  const programs = temporaryDirectory();
  symlinkSync(findProgram('test'), join(programs, 'test'));
  const directory = temporaryDirectory();
  const server = spawnServer({ directory, copyRoot: temporaryDirectory() }, { env: { PATH: programs } });
  const { connection, processId } = await startedIn(server);
  await query(connection, 'CREATE TABLE kept AS SELECT 42 AS answer');
  await kill(server.child);
  expect(isRunning(processId)).toBe(true);

  const lines: string[] = [];
  const next = await start(directory, (line) => lines.push(line));
  expect(isRunning(processId)).toBe(false);
  expect(lines).toEqual([`Stopping a PostgreSQL (process ${processId}) that a killed server left behind.`]);
  expect(await query(next.connection, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
});

test('a server killed in the middle of initdb leaves nothing half-made', async () => {
  const directory = temporaryDirectory();
  const server = spawnServer({ directory });
  await until('initdb is at work', () => readdirSync(directory).some((name) => existsSync(join(directory, name, 'base', '1'))));
  await kill(server.child);
  expect(existsSync(join(directory, 'postgres'))).toBe(false);

  const next = await start(directory);
  expect(await query(next.connection, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  expect(readdirSync(directory).sort()).toEqual(['postgres', 'postgres.log', 'run', 'server.lock']);
});

test('a second server in the same directory is refused with the process id of the first, which is not disturbed', async () => {
  const directory = temporaryDirectory();
  const first = spawnServer({ directory });
  const { connection } = await startedIn(first);
  const second = await spawnServer({ directory }).outcome;
  expect(second).toEqual({
    name: 'EmbeddedPostgresError',
    refused: expect.stringMatching(
      new RegExp(`^Another server \\(process ${first.child.pid}\\) is using ${directory}\\. .*DATA_DIR.*DATABASE_URL`),
    ),
  });
  expect(await query(connection, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
});

test('of several servers that start at once in a new directory exactly one wins', async () => {
  const directory = temporaryDirectory();
  const outcomes = await Promise.all([1, 2, 3].map(() => spawnServer({ directory }).outcome));
  expect(outcomes.filter(({ started }) => started)).toHaveLength(1);
  expect(outcomes.filter(({ refused }) => refused?.startsWith('Another server (process '))).toHaveLength(2);
});

test('a server that calls process.exit without a stop takes its database along', async () => {
  const directory = temporaryDirectory();
  const server = spawnServer({ directory });
  const { processId } = await startedIn(server);
  server.child.stdin?.end();
  await until('PostgreSQL has ended', () => !isRunning(processId));
  // Removed by an orderly shutdown alone.
  expect(existsSync(join(directory, 'postgres', 'postmaster.pid'))).toBe(false);
});

test('Ctrl-C, which signals the whole group, leaves the database to the server', async () => {
  const directory = temporaryDirectory();
  const server = spawnServer({ directory }, { detached: true });
  const { connection, processId } = await startedIn(server);
  process.kill(-(server.child.pid ?? Number.NaN), 'SIGINT');
  // The database writes to its log at once when it is told to stop; a full round trip later it has not.
  await query(connection, 'CHECKPOINT');
  expect(readFileSync(join(directory, 'postgres.log'), 'utf8')).not.toContain('shutdown request');
  expect(isRunning(processId)).toBe(true);
});

test('a socket directory outside DATA_DIR that a killed server left is removed by the next start', async () => {
  const directory = join(temporaryDirectory(), 'long-'.repeat(40));
  const server = spawnServer({ directory });
  const { connection } = await startedIn(server);
  expect(connection.host).toMatch(/^\/tmp\//);
  await kill(server.child);
  const next = await start(directory);
  expect(next.connection.host).not.toBe(connection.host);
  expect(existsSync(connection.host)).toBe(false);
});

test('a damaged lock file is refused with what to do', async () => {
  const directory = temporaryDirectory();
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'server.lock'), 'not a lock file '.repeat(100));
  await expect(start(directory)).rejects.toThrow(/server\.lock cannot be used \(file is not a database\).*delete the file/);
});

function findProgram(name: string): string {
  return execFileSync(
    '/bin/sh',
    ['-c', `PATH=/usr/bin:/bin; for d in /usr/bin /bin; do [ -x $d/${name} ] && echo $d/${name} && exit; done`],
    { encoding: 'utf8' },
  ).trim();
}
