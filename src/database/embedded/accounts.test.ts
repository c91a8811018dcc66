import { chmodSync, chownSync, existsSync, lstatSync, readdirSync, realpathSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import {
  canUseNamespaces,
  isRoot,
  kill,
  othersCanEnter,
  query,
  spawnServer,
  temporaryDirectory,
} from '../../../test/support/embedded-processes.js';
import { startEmbeddedPostgres } from '../embedded-postgres.js';
import type { EmbeddedPostgres, EmbeddedPostgresOptions } from '../embedded-postgres.js';
import { findIdentity, ownIdentity } from './account.js';
import { unnamedRefusal } from './choose-account.js';

const nobody = findIdentity('nobody');
const daemon = findIdentity('daemon');

async function start(directory: string, options: Partial<EmbeddedPostgresOptions> = {}): Promise<EmbeddedPostgres> {
  const embedded = await startEmbeddedPostgres({ directory, log: () => {}, ...options });
  onTestFinished(() => embedded.stop());
  return embedded;
}

async function startAndStop(directory: string, sql: string, options: Partial<EmbeddedPostgresOptions> = {}): Promise<string> {
  const embedded = await startEmbeddedPostgres({ directory, log: () => {}, ...options });
  await query(embedded.connection, sql);
  await embedded.stop();
  return embedded.way;
}

const makeRow = 'CREATE TABLE kept AS SELECT 42 AS answer';

async function keptRow(embedded: EmbeddedPostgres): Promise<unknown> {
  return (await query(embedded.connection, 'SELECT answer FROM kept'))[0];
}

function ownersOf(directory: string): number[] {
  const paths = [directory, ...readdirSync(directory, { recursive: true, encoding: 'utf8' }).map((name) => join(directory, name))];
  return [...new Set(paths.map((path) => lstatSync(path).uid))];
}

test('an account is found in /etc/passwd by its name and by its id', () => {
  const passwd = 'root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65533:nobody:/:/bin/false\nbroken\n';
  expect(findIdentity('nobody', passwd)).toEqual({ name: 'nobody', uid: 65534, gid: 65533 });
  expect(findIdentity(0, passwd)).toEqual({ name: 'root', uid: 0, gid: 0 });
  expect(findIdentity('broken', passwd)).toBeUndefined();
  expect(findIdentity(65533, passwd)).toBeUndefined();
});

test('this process has a name', () => {
  expect(ownIdentity()).toMatchObject({ uid: process.getuid?.(), gid: process.getgid?.() });
});

test.skipIf(isRoot)('as an ordinary account: the database runs under it', async () => {
  const directory = temporaryDirectory();
  const embedded = await start(directory);
  expect(embedded.way).toBe('self');
  expect(statSync(join(directory, 'postgres')).uid).toBe(process.getuid?.());
});

test.skipIf(isRoot)('as an ordinary account: a directory of root is refused with its owner and what to do', async () => {
  await expect(start('/usr')).rejects.toThrow(/^\/usr belongs to the account root.*Run the server as root.*chown.*DATA_DIR/);
});

test.runIf(othersCanEnter)('as root, in a checkout that others can enter: the database runs as nobody', async () => {
  const directory = temporaryDirectory();
  const embedded = await start(directory);
  expect(embedded.way).toBe('account');
  expect(ownersOf(join(directory, 'postgres'))).toEqual([nobody?.uid]);
  expect(await query(embedded.connection, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
});

test.runIf(canUseNamespaces)(
  'as root, with user namespaces: a directory that only root can enter works, and its files stay of root',
  async () => {
    const directory = join(temporaryDirectory('/tmp', 0o700), 'data');
    const embedded = await start(directory);
    expect(embedded.way).toBe('namespace');
    expect(ownersOf(directory)).toEqual([0]);
    expect(await query(embedded.connection, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  },
);

test.runIf(canUseNamespaces)('as root, with user namespaces: kill -9 there takes the database along as well', async () => {
  const directory = join(temporaryDirectory('/tmp', 0o700), 'data');
  const server = spawnServer({ directory });
  const { started } = await server.outcome;
  expect(started?.way).toBe('namespace');
  await kill(server.child);
  expect((await start(directory)).way).toBe('namespace');
});

test.runIf(othersCanEnter && canUseNamespaces)('as root: data changes hands when another way to run is chosen', async () => {
  const parent = temporaryDirectory('/tmp', 0o700);
  const directory = join(parent, 'data');
  expect(await startAndStop(directory, makeRow)).toBe('namespace');
  chmodSync(parent, 0o755);
  expect(await startAndStop(directory, 'SELECT FROM kept')).toBe('account');
  expect(ownersOf(join(directory, 'postgres'))).toEqual([nobody?.uid]);
  chmodSync(parent, 0o700);
  const embedded = await start(directory);
  expect(embedded.way).toBe('namespace');
  expect(ownersOf(directory)).toEqual([0]);
  expect(await keptRow(embedded)).toEqual({ answer: 42 });
});

test.runIf(isRoot)('as root, when all else fails: programs and data are copied where others can enter, and the log says so', async () => {
  const directory = join(temporaryDirectory('/tmp', 0o700), 'data');
  const copyRoot = temporaryDirectory();
  const options = { rootWays: ['account', 'copy'], copyRoot } as const;
  const lines: string[] = [];
  const first = await startEmbeddedPostgres({ directory, log: (line) => lines.push(line), ...options });
  expect(first.way).toBe('copy');
  await query(first.connection, makeRow);
  await first.stop();
  const place = realpathSync(join(directory, 'postgres'));
  expect(place).toMatch(new RegExp(`^${copyRoot}/data-[0-9a-f]{12}/postgres$`));
  expect(lines).toEqual([
    expect.stringContaining(`to ${copyRoot}/postgresql-`),
    expect.stringContaining(`its data is kept in ${copyRoot}/data-`),
    expect.stringContaining('Creating the database'),
  ]);

  expect(await keptRow(await start(directory, options))).toEqual({ answer: 42 });
});

test.runIf(isRoot)('as root: data that was kept elsewhere is never replaced by an empty database without a word', async () => {
  const directory = join(temporaryDirectory('/tmp', 0o700), 'data');
  const copyRoot = temporaryDirectory();
  const options = { rootWays: ['copy'], copyRoot } as const;
  await startAndStop(directory, makeRow, options);
  const place = realpathSync(join(directory, 'postgres'));
  rmSync(place, { recursive: true });
  await expect(start(directory, options)).rejects.toThrow(`was kept in ${place}, which is gone. Bring that directory back`);
});

test.runIf(isRoot)('as root: a deleted DATA_DIR means a new database, and the data kept elsewhere is set aside', async () => {
  const directory = join(temporaryDirectory('/tmp', 0o700), 'data');
  const copyRoot = temporaryDirectory();
  const options = { rootWays: ['copy'], copyRoot } as const;
  await startAndStop(directory, makeRow, options);
  const place = realpathSync(join(directory, 'postgres'));
  rmSync(directory, { recursive: true });
  await expect(keptRow(await start(directory, options))).rejects.toThrow('does not exist');
  expect(readdirSync(join(place, '..')).filter((name) => name.startsWith('postgres.unused-'))).toHaveLength(1);
});

test.runIf(isRoot)('as root: a database is not moved when only a copy elsewhere would run', async () => {
  const directory = join(temporaryDirectory(), 'data');
  await startAndStop(directory, makeRow);
  chmodSync(join(directory, '..'), 0o700);
  const refused = start(directory, { rootWays: ['account', 'copy'], copyRoot: temporaryDirectory() });
  await expect(refused).rejects.toThrow(
    /^PostgreSQL refuses to run as root.*account: .*copy: .*ordinary account.*not under \/root.*DATABASE_URL/,
  );
  expect(existsSync(join(directory, 'postgres', 'PG_VERSION'))).toBe(true);
});

test.runIf(othersCanEnter && daemon)('as root: data of an ordinary account stays its own, so that it can start again later', async () => {
  const directory = temporaryDirectory();
  chownSync(directory, daemon?.uid ?? 0, daemon?.gid ?? 0);
  const theirs = spawnServer({ directory }, { uid: daemon?.uid, gid: daemon?.gid });
  const { started } = await theirs.outcome;
  expect(started?.way).toBe('self');
  await query(started?.connection ?? ({} as never), makeRow);
  theirs.child.stdin?.end();
  await expect.poll(() => theirs.child.exitCode, { timeout: 20_000 }).toBe(0);

  const embedded = await start(directory);
  expect(embedded.way).toBe('account');
  expect(await keptRow(embedded)).toEqual({ answer: 42 });
  expect(ownersOf(join(directory, 'postgres'))).toEqual([daemon?.uid]);
});

test.runIf(othersCanEnter && daemon)('as root: an ordinary account is told whose directory it is', async () => {
  const directory = temporaryDirectory();
  await startAndStop(directory, makeRow);
  const whole = await spawnServer({ directory }, { uid: daemon?.uid, gid: daemon?.gid }).outcome;
  expect(whole.refused).toMatch(/belongs to the account root.*Run the server as root.*chown.*DATA_DIR/);

  chownSync(directory, daemon?.uid ?? 0, daemon?.gid ?? 0);
  chmodSync(join(directory, 'server.lock'), 0o666);
  const cluster = await spawnServer({ directory }, { uid: daemon?.uid, gid: daemon?.gid }).outcome;
  expect(cluster.refused).toMatch(/\/postgres belongs to the account nobody/);
});

test.runIf(othersCanEnter)('as root: a user id without a name gets one in a namespace, or a sentence', async () => {
  const uid = 54321;
  const directory = temporaryDirectory();
  chownSync(directory, uid, uid);
  const { started, refused } = await spawnServer({ directory }, { uid, gid: uid }).outcome;
  expect([unnamedRefusal(uid), 'namespace']).toContain(refused ?? started?.way);
});

test('the refusal of a user id without a name says what to do', () => {
  expect(unnamedRefusal(54321)).toMatch(/no entry for 54321\. Add one.*DATABASE_URL/);
});
