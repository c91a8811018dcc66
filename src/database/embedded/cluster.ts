import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { findIdentity, programPath, runAs } from './account.js';
import type { Account } from './account.js';
import { EmbeddedPostgresError, errorCode, messageOf } from './embedded-postgres-error.js';

/** The superuser of the cluster; its only client is this server. */
export const databaseUser = 'arkitect';

const initPrefix = '.postgres-init-';

/** Creates DATA_DIR (0755, so that the account of the database can enter it) and returns its real path. */
export function prepareDirectory(given: string): string {
  const directory = resolve(given);
  try {
    if (mkdirSync(directory, { recursive: true }) !== undefined) chmodSync(directory, 0o755);
    accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK);
    return realpathSync(directory);
  } catch (error) {
    throw new EmbeddedPostgresError(directoryRefusal(directory, error));
  }
}

function directoryRefusal(directory: string, error: unknown): string {
  const code = errorCode(error) ?? '';
  if (code === 'EEXIST') return `DATA_DIR is ${directory}, which is a file. Set DATA_DIR to a directory.`;
  if (['EACCES', 'EPERM'].includes(code) && existsSync(directory)) return ownerRefusal(directory, ownerName(statSync(directory).uid));
  return `DATA_DIR (${directory}) cannot be used: ${messageOf(error)}. Set DATA_DIR to a directory that this account may write.`;
}

export function ownerRefusal(path: string, owner: string): string {
  return (
    `${path} belongs to the account ${owner}, and this account may not use it. Run the server as ${owner}, ` +
    'hand the directory over with chown -R, or set DATA_DIR to another directory.'
  );
}

function ownerName(uid: number): string {
  return findIdentity(uid)?.name ?? `with the id ${uid}`;
}

/** The cluster of DATA_DIR, if it has one that this account and this version can open; undefined for none. */
export function findCluster(directory: string, major: string): { path: string; uid: number } | undefined {
  const name = join(directory, 'postgres');
  const entry = lstatSync(name, { throwIfNoEntry: false });
  if (!entry) return undefined;
  if (!existsSync(name) && entry.isSymbolicLink()) {
    throw new EmbeddedPostgresError(
      `The database of ${directory} was kept in ${readlinkSync(name)}, which is gone. Bring that directory back, ` +
        `or delete the link ${name} to start with an empty database.`,
    );
  }
  const path = realpathSync(name);
  const { uid } = statSync(path);
  const own = process.geteuid?.();
  if (own !== 0 && own !== uid) throw new EmbeddedPostgresError(ownerRefusal(name, ownerName(uid)));
  if (readdirSync(path).length === 0) return undefined;
  const versionFile = join(path, 'PG_VERSION');
  if (!existsSync(versionFile)) {
    throw new EmbeddedPostgresError(
      `${name} holds files that are not a PostgreSQL database. Move them away, or set DATA_DIR to another directory.`,
    );
  }
  const found = readFileSync(versionFile, 'utf8').trim();
  if (found !== major) throw new EmbeddedPostgresError(versionRefusal(name, found, major));
  return { path, uid };
}

export function versionRefusal(path: string, found: string, major: string): string {
  return (
    `${path} was made by PostgreSQL ${found}, but this server brings PostgreSQL ${major}. To keep the data, start the version of ` +
    'the server that made it, dump the database with pg_dump and restore the dump here; to start empty, set DATA_DIR to another directory.'
  );
}

/**
 * Makes a new cluster in `home` and links it from DATA_DIR if that is another directory.
 * It becomes visible complete or not at all: initdb works beside its final place.
 */
export async function createCluster(directory: string, home: string, account: Account): Promise<string> {
  const path = join(home, 'postgres');
  if (home !== directory) setAside(path);
  const unfinished = mkdtempSync(join(home, initPrefix));
  lchownSync(unfinished, account.owner.uid, account.owner.gid);
  // The same order and the same upper case on every machine, whatever locales it has.
  const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  const args = ['-D', unfinished, '-U', databaseUser, '--auth=trust', '--no-instructions', ...locale];
  const { ok, output } = await runAs(account, programPath(account.binaries, 'initdb'), args);
  if (!ok) {
    rmSync(unfinished, { recursive: true, force: true });
    throw new EmbeddedPostgresError(
      `PostgreSQL could not create a database in ${home}; initdb said: ${output.split('\n').slice(-5).join(' ')}`,
    );
  }
  // Who can reach the socket may enter: its directory is closed to all but the owner, and there is no TCP.
  writeFileSync(join(unfinished, 'pg_hba.conf'), 'local all all trust\n');
  renameSync(unfinished, path);
  syncDirectory(home);
  if (home !== directory) {
    // An empty directory or a link to one; anything else `findCluster` has found or refused.
    rmSync(join(directory, 'postgres'), { recursive: true, force: true });
    symlinkSync(path, join(directory, 'postgres'));
  }
  return path;
}

/** A cluster outside DATA_DIR to which no link leads was either never finished or given up with its DATA_DIR. */
function setAside(path: string): void {
  if (existsSync(path)) renameSync(path, `${path}.unused-${new Date().toISOString().replaceAll(':', '')}`);
}

function syncDirectory(directory: string): void {
  const handle = openSync(directory, 'r');
  fsyncSync(handle);
  closeSync(handle);
}

const removals = 20;

/**
 * Removes what an initdb left that was killed in the middle. Its own processes may be ending just now: while files come and go, one
 * removal overlooks some, or gives up at one that is gone.
 */
export function removeUnfinished(home: string): void {
  for (const name of readdirSync(home)) {
    if (!name.startsWith(initPrefix)) continue;
    const path = join(home, name);
    for (let left = removals; left > 0 && existsSync(path); left--) rmSync(path, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Gives the cluster to the account and closes it to others, as PostgreSQL demands (volumes may come with other modes). */
export function adjustOwnership(path: string, { owner }: Account): void {
  const { uid, mode } = statSync(path);
  if (uid !== owner.uid) {
    for (const name of readdirSync(path, { recursive: true, encoding: 'utf8' })) lchownSync(join(path, name), owner.uid, owner.gid);
    // Last, because its owner tells whether there is something to do: an interrupted change is done again.
    lchownSync(path, owner.uid, owner.gid);
  }
  if ((mode & 0o777) !== 0o700) chmodSync(path, 0o700);
}
