import pg from 'pg';
import type { Settings } from '../settings.js';
import { isTransient } from './database-errors.js';
import { Database } from './database.js';
import { startEmbeddedPostgres } from './embedded-postgres.js';
import { migrate } from './migrate.js';

export interface OpenDatabase {
  database: Database;
  /** No other server can be using it. */
  exclusive: boolean;
  /** Resolves with a sentence when the embedded database ends by itself; never for a server of somebody else's. */
  failed: Promise<string>;
  close(): Promise<void>;
}

export interface OpenDatabaseLog {
  info(sentence: string): void;
  warn(sentence: string): void;
}

/** A database that is still starting (docker compose, a restart) is waited for this long. */
const patienceMs = 30_000;
const retryMs = 500;

/** The database of `DATABASE_URL`, or the embedded one: reachable, migrated, ready for statements. */
export async function openDatabase(settings: Settings, log: OpenDatabaseLog): Promise<OpenDatabase> {
  const embedded = settings.DATABASE_URL
    ? undefined
    : await startEmbeddedPostgres({ directory: settings.DATA_DIR, log: (line) => log.info(line) });
  const connection: pg.ClientConfig = embedded?.connection ?? { connectionString: settings.DATABASE_URL };
  try {
    await migrateWhenReachable(connection, log);
  } catch (error) {
    await embedded?.stop();
    throw error;
  }
  const database = new Database({
    connection,
    poolSize: settings.DATABASE_POOL_SIZE,
    onError: (error) => log.warn(`A database connection broke and is replaced: ${error.message}`),
  });
  return {
    database,
    exclusive: embedded !== undefined,
    failed: embedded?.exited ?? new Promise(() => undefined),
    async close() {
      await database.close();
      await embedded?.stop();
    },
  };
}

async function migrateWhenReachable(connection: pg.ClientConfig, log: OpenDatabaseLog): Promise<void> {
  const client = await connectPatiently(connection, log);
  try {
    const applied = await migrate(client);
    if (applied.length) log.info(`Applied ${applied.length} migrations, up to ${applied.at(-1)}.`);
  } finally {
    await client.end();
  }
}

async function connectPatiently(connection: pg.ClientConfig, log: OpenDatabaseLog): Promise<pg.Client> {
  const deadline = Date.now() + patienceMs;
  for (let attempt = 1; ; attempt++) {
    // A migration may take its time, so there is no limit for an answer; a connection that died without a word is noticed all the same.
    const client = new pg.Client({ ...connection, application_name: 'arkitect migrate', connectionTimeoutMillis: 5_000, keepAlive: true });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return client;
    } catch (error) {
      await client.end().catch(() => undefined);
      const { message } = error as Error;
      if (!isTransient(error as Error) || Date.now() > deadline) {
        throw new Error(
          `The database of DATABASE_URL cannot be used: ${message}. Check the URL, and that the server runs and lets this account in.`,
          { cause: error },
        );
      }
      if (attempt === 1) log.info(`The database does not answer yet (${message}); waiting up to ${patienceMs / 1_000} s.`);
      await new Promise((resolve) => setTimeout(resolve, retryMs));
    }
  }
}
