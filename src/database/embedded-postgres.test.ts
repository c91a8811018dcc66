import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { query, temporaryDirectory } from '../../test/support/embedded-processes.js';
import { startEmbeddedPostgres } from './embedded-postgres.js';
import type { EmbeddedPostgres, EmbeddedPostgresOptions } from './embedded-postgres.js';

async function start(directory: string, options: Partial<EmbeddedPostgresOptions> = {}): Promise<EmbeddedPostgres> {
  const embedded = await startEmbeddedPostgres({ directory, log: () => {}, ...options });
  onTestFinished(() => embedded.stop());
  return embedded;
}

async function setting(embedded: EmbeddedPostgres, name: string): Promise<string | undefined> {
  const [row] = await query<{ value: string }>(embedded.connection, `SELECT current_setting('${name}') AS value`);
  return row?.value;
}

test('a new directory gets a database that keeps its rows over a restart', async () => {
  const directory = join(temporaryDirectory(), 'new', 'data');
  const lines: string[] = [];
  const first = await startEmbeddedPostgres({ directory, log: (line) => lines.push(line) });
  await query(first.connection, 'CREATE TABLE kept AS SELECT 42 AS answer');
  await first.stop();
  expect(lines).toEqual([expect.stringContaining('Creating the database')]);
  expect(readdirSync(directory).sort()).toEqual(['postgres', 'postgres.log', 'server.lock']);

  const second = await start(directory, { log: (line) => lines.push(line) });
  expect(await query(second.connection, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  expect(lines).toHaveLength(1);
});

test('an existing database accepts connections within 300 ms', async () => {
  const directory = temporaryDirectory();
  const times: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    const before = performance.now();
    const embedded = await startEmbeddedPostgres({ directory, log: () => {} });
    times.push(performance.now() - before);
    await query(embedded.connection, 'SELECT 1');
    await embedded.stop();
  }
  // The best of them: other work on the machine can only slow a round down.
  expect(Math.min(...times)).toBeLessThan(300);
});

test('only its owner can reach it: a socket in a closed directory, and no TCP', async () => {
  const embedded = await start(temporaryDirectory());
  expect(statSync(embedded.connection.host).mode & 0o777).toBe(0o700);
  expect(await setting(embedded, 'listen_addresses')).toBe('');
});

test('what is acknowledged is on the disk, and texts and times mean the same on every machine', async () => {
  const embedded = await start(temporaryDirectory());
  const names = ['fsync', 'synchronous_commit', 'full_page_writes', 'data_checksums', 'server_encoding', 'TimeZone', 'cluster_name'];
  const values = await Promise.all(names.map((name) => setting(embedded, name)));
  expect(values).toEqual(['on', 'on', 'on', 'on', 'UTF8', 'UTC', 'arkitect']);
  expect(await query(embedded.connection, `SELECT upper('äé') AS upper, 'Z' < 'a' AS by_code_point`)).toEqual([
    { upper: 'ÄÉ', by_code_point: true },
  ]);
});

test('extra parameters override the defaults', async () => {
  const embedded = await start(temporaryDirectory(), { parameters: { fsync: 'off', work_mem: '8MB' } });
  expect(await setting(embedded, 'fsync')).toBe('off');
  expect(await setting(embedded, 'work_mem')).toBe('8MB');
});

test('a transaction that is forgotten open is ended by the server', async () => {
  const embedded = await start(temporaryDirectory());
  expect(await setting(embedded, 'idle_in_transaction_session_timeout')).toBe('30s');
});

test('a path with spaces, quotes, commas and non-ASCII letters works', async () => {
  const embedded = await start(join(temporaryDirectory(), `a b, "c" 'd' é=%`));
  expect(await query(embedded.connection, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
});

test('a path too long for a socket works, and its stand-in is removed at the end', async () => {
  const directory = join(temporaryDirectory(), 'long-'.repeat(40), 'data');
  const embedded = await startEmbeddedPostgres({ directory, log: () => {} });
  const { host } = embedded.connection;
  expect(host.length).toBeLessThan(90);
  expect(statSync(host).mode & 0o777).toBe(0o700);
  expect(await query(embedded.connection, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  await embedded.stop();
  expect(existsSync(host)).toBe(false);
});

test('two servers with different directories run side by side', async () => {
  const [one, other] = await Promise.all([start(temporaryDirectory()), start(temporaryDirectory())]);
  await query(one.connection, 'CREATE TABLE here ()');
  await expect(query(other.connection, 'TABLE here')).rejects.toThrow('does not exist');
});

test('one process cannot start the same directory twice, and can again after a stop', async () => {
  const directory = temporaryDirectory();
  const first = await startEmbeddedPostgres({ directory, log: () => {} });
  await expect(start(directory)).rejects.toThrow(`process ${process.pid}`);
  expect(await query(first.connection, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  await first.stop();
  await first.stop();
  await start(directory);
});

test('a PostgreSQL that dies is reported, and the directory can be started again although its sessions were busy', async () => {
  const directory = temporaryDirectory();
  const first = await startEmbeddedPostgres({ directory, log: () => {} });
  await query(first.connection, 'CREATE TABLE kept AS SELECT 1 AS one');
  // Counts for minutes, and does not look at its postmaster meanwhile.
  const busy = query(first.connection, 'SELECT count(*) FROM generate_series(1, 3000) a, generate_series(1, 300000) b').catch(String);
  await expect
    .poll(() => query(first.connection, `SELECT FROM pg_stat_activity WHERE query LIKE 'SELECT count%'`), { timeout: 20_000 })
    .toHaveLength(1);
  process.kill(first.processId, 'SIGKILL');
  expect(await first.exited).toMatch(
    /^PostgreSQL stopped unexpectedly \(it was ended by SIGKILL\)\. The end of .*postgres\.log says why\.$/,
  );
  const second = await start(directory);
  expect(await query(second.connection, 'SELECT one FROM kept')).toEqual([{ one: 1 }]);
  expect(await busy).toContain('Connection terminated');
});

test('a stop with open transactions is not held up by them', async () => {
  const embedded = await start(temporaryDirectory());
  const open = query(embedded.connection, 'BEGIN; SELECT pg_sleep(600)').catch(String);
  await expect
    .poll(() => query(embedded.connection, `SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep'`), { timeout: 20_000 })
    .toHaveLength(1);
  const before = performance.now();
  await embedded.stop();
  expect(performance.now() - before).toBeLessThan(9_000);
  expect(await open).toContain('terminating connection');
});

test('a process id file that names another program by now is not believed', async () => {
  const directory = temporaryDirectory();
  await (await startEmbeddedPostgres({ directory, log: () => {} })).stop();
  const lines = [process.pid, join(directory, 'postgres'), 1, 5432, directory, '', '1 1', 'ready'];
  writeFileSync(join(directory, 'postgres', 'postmaster.pid'), `${lines.join('\n')}\n`);
  const embedded = await start(directory);
  expect(await query(embedded.connection, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
});

test('a setting that PostgreSQL refuses is reported in its words', async () => {
  const refused = start(temporaryDirectory(), { parameters: { shared_buffers: 'plenty' } });
  await expect(refused).rejects.toThrow(/did not start.*postgres\.log.*invalid value for parameter "shared_buffers": "plenty"/);
});

test('a database of another major version is refused with what to do, and left alone', async () => {
  const directory = temporaryDirectory();
  await (await startEmbeddedPostgres({ directory, log: () => {} })).stop();
  writeFileSync(join(directory, 'postgres', 'PG_VERSION'), '15\n');
  await expect(start(directory)).rejects.toThrow(/made by PostgreSQL 15.*brings PostgreSQL 18.*pg_dump.*DATA_DIR/);
  expect(readFileSync(join(directory, 'postgres', 'PG_VERSION'), 'utf8')).toBe('15\n');
});

test('files that are no database are refused and left alone, an empty directory is used', async () => {
  const directory = temporaryDirectory();
  mkdirSync(join(directory, 'postgres'));
  writeFileSync(join(directory, 'postgres', 'notes.txt'), 'mine');
  await expect(start(directory)).rejects.toThrow(/not a PostgreSQL database.*Move them away/);
  expect(readFileSync(join(directory, 'postgres', 'notes.txt'), 'utf8')).toBe('mine');

  const other = temporaryDirectory();
  mkdirSync(join(other, 'postgres'));
  await start(other);
});

test('a DATA_DIR that is a file is refused in a sentence', async () => {
  const file = join(temporaryDirectory(), 'file');
  writeFileSync(file, '');
  await expect(start(file)).rejects.toThrow(`DATA_DIR is ${file}, which is a file. Set DATA_DIR to a directory.`);
});

test('a log that has grown over 10 MB is emptied at the next start', async () => {
  const directory = temporaryDirectory();
  const log = join(directory, 'postgres.log');
  writeFileSync(log, '');
  truncateSync(log, 11 * 1024 * 1024);
  await start(directory);
  expect(statSync(log).size).toBeLessThan(100_000);
  expect(readFileSync(log, 'utf8')).toContain('ready to accept connections');
});
