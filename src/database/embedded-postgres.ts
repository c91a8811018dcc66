import { dirname, join } from 'node:path';
import { findBinaries } from './embedded/binaries.js';
import { chooseAccount, rootWays } from './embedded/choose-account.js';
import type { Choice, RootWay } from './embedded/choose-account.js';
import { adjustOwnership, createCluster, databaseUser, findCluster, prepareDirectory, removeUnfinished } from './embedded/cluster.js';
import { EmbeddedPostgresError, messageOf } from './embedded/embedded-postgres-error.js';
import { lockDirectory } from './embedded/directory-lock.js';
import { stopLeftovers } from './embedded/leftovers.js';
import { startPostmaster } from './embedded/postmaster.js';
import { makeSocketDirectory, removeSocketDirectory } from './embedded/socket-directory.js';

export interface EmbeddedPostgresOptions {
  /** DATA_DIR; created if need be. Holds `postgres` (the cluster), `postgres.log`, `server.lock` and `run` (the socket). */
  directory: string;
  /** Takes sentences for the user: what is being done when it takes long or is unusual. */
  log: (line: string) => void;
  /** More settings of PostgreSQL, over the defaults. */
  parameters?: Record<string, string>;
  /** Ways to run when this process is root, in the order to try; by default all. */
  rootWays?: readonly RootWay[];
  /** Where programs and data go that another account must reach when we are root; by default /var/lib/arkitect. */
  copyRoot?: string;
}

/** A running PostgreSQL that belongs to this process alone. */
export interface EmbeddedPostgres {
  /** For `pg`: host is the directory of the unix socket. No password: only its owner and root can enter that directory. */
  connection: { host: string; port: number; user: string; database: string };
  processId: number;
  /** How the programs are run: `self`, or as root one of `account`, `namespace` and `copy`. */
  way: Choice['way'];
  /** Fast shutdown (open transactions are rolled back); resolves when the process is gone and the directory is free. */
  stop(): Promise<void>;
  /** Resolves with the reason, a sentence, when PostgreSQL ends without having been asked to. */
  exited: Promise<string>;
}

/**
 * Starts the PostgreSQL that came with npm on the cluster in `directory`, creating it the first time.
 * Throws `EmbeddedPostgresError` with what to do when that cannot be.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const directory = prepareDirectory(options.directory);
  const lock = lockDirectory(directory);
  try {
    return await startLocked(options, directory, lock);
  } catch (error) {
    lock.release();
    if (error instanceof EmbeddedPostgresError) throw error;
    throw new EmbeddedPostgresError(`The embedded PostgreSQL could not be started in ${directory}: ${messageOf(error)}.`, { cause: error });
  }
}

async function startLocked(options: EmbeddedPostgresOptions, directory: string, lock: { release(): void }): Promise<EmbeddedPostgres> {
  const { log, rootWays: ways = rootWays, copyRoot = '/var/lib/arkitect' } = options;
  const binaries = findBinaries(join(directory, 'lib'));
  const found = findCluster(directory, binaries.major);
  if (found) await stopLeftovers(found.path, log);
  const existing = found && { home: dirname(found.path), uid: found.uid };
  const { account, home, way } = await chooseAccount({ binaries, directory, existing, ways, copyRoot, log });
  removeUnfinished(home);
  if (!found) log(`Creating the database in ${home} (a few seconds, once).`);
  const cluster = found?.path ?? (await createCluster(directory, home, account));
  adjustOwnership(cluster, account);

  const socketDirectory = await makeSocketDirectory(home, account.owner);
  const logFile = join(directory, 'postgres.log');
  const postmaster = await startPostmaster({ account, cluster, socketDirectory, logFile, log, parameters: options.parameters ?? {} });
  let asked = false;
  const exited = Promise.withResolvers<string>();
  const released = postmaster.ended.then((how) => {
    removeSocketDirectory(home);
    lock.release();
    if (!asked) exited.resolve(`PostgreSQL stopped unexpectedly (${how}). The end of ${logFile} says why.`);
    return how;
  });
  return {
    connection: { host: socketDirectory, port: 5432, user: databaseUser, database: 'postgres' },
    processId: postmaster.processId,
    way,
    exited: exited.promise,
    async stop() {
      asked = true;
      await postmaster.stop();
      await released;
    },
  };
}
