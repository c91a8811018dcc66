import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type pg from 'pg';

export interface Migration {
  number: number;
  /** The file name, `0001_tasks.sql`. */
  name: string;
  sql: string;
  sha256: string;
}

export class MigrationError extends Error {}

const migrationsDirectory = join(import.meta.dirname, '..', '..', 'migrations');

/** Any constant of ours; two replicas that start at once take turns on it. */
const migrationLock = 4_711_000_001;

/** The migrations of this build, in order. Forward only: an applied file never changes. */
export function readMigrations(directory = migrationsDirectory): Migration[] {
  const files = readdirSync(directory)
    .filter((file) => file.endsWith('.sql'))
    .toSorted();
  return files.map((name, index) => {
    const number = Number(/^(\d{4})_[a-z0-9_]+\.sql$/.exec(name)?.[1]);
    if (number !== index + 1)
      throw new MigrationError(`Migration ${name} is out of line: number ${index + 1} was expected, as ${pad(index + 1)}_name.sql.`);
    const sql = readFileSync(join(directory, name), 'utf8');
    return { number, name, sql, sha256: createHash('sha256').update(sql).digest('hex') };
  });
}

/**
 * Brings the database to this build's schema and returns the names that were applied.
 * Safe with several replicas starting at once; refuses a database that is newer than this build or too old a server.
 */
export async function migrate(client: pg.ClientBase, migrations = readMigrations()): Promise<string[]> {
  await requireSuitableServer(client);
  await client.query('BEGIN');
  try {
    await client.query('SELECT pg_advisory_xact_lock($1::bigint)', [migrationLock]);
    await client.query(`CREATE TABLE IF NOT EXISTS schema_migrations (
      number integer PRIMARY KEY, name text NOT NULL, sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`);
    const applied = await client.query<Migration>('SELECT number, name, sha256 FROM schema_migrations ORDER BY number');
    const open = pendingMigrations(migrations, applied.rows);
    for (const migration of open) {
      await client.query(migration.sql);
      await client.query('INSERT INTO schema_migrations (number, name, sha256) VALUES ($1, $2, $3)', [
        migration.number,
        migration.name,
        migration.sha256,
      ]);
    }
    await client.query('COMMIT');
    // A never-analysed table makes the planner sort every queued row instead of walking the claim index.
    if (open.length) await analyze(client);
    return open.map((migration) => migration.name);
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

async function analyze(client: pg.ClientBase): Promise<void> {
  const ours = "SELECT string_agg(quote_ident(tablename), ', ') AS tables FROM pg_tables WHERE schemaname = current_schema()";
  const { rows } = await client.query<{ tables: string }>(ours);
  await client.query(`ANALYZE ${rows[0]!.tables}`);
}

/** What is still to apply; throws when the database has something this build does not know. */
export function pendingMigrations(migrations: Migration[], applied: Pick<Migration, 'number' | 'name' | 'sha256'>[]): Migration[] {
  for (const row of applied) {
    const known = migrations[row.number - 1];
    if (!known) {
      throw new MigrationError(
        `The database is newer than this build: it has migration ${row.name}, and this build ends at number ${pad(migrations.length)}. ` +
          'Start the newer build, or point DATABASE_URL (or DATA_DIR) at another database.',
      );
    }
    if (known.sha256 !== row.sha256) {
      throw new MigrationError(
        `Migration ${row.name} was changed after the database applied it. Applied migrations are never edited: restore the file and add a new migration.`,
      );
    }
  }
  return migrations.slice(applied.length);
}

async function requireSuitableServer(client: pg.ClientBase): Promise<void> {
  const { rows } = await client.query<{ number: string; version: string; encoding: string }>(
    `SELECT current_setting('server_version_num') AS number, current_setting('server_version') AS version,
            current_setting('server_encoding') AS encoding`,
  );
  const { number, version, encoding } = rows[0]!;
  if (Number(number) < 140_000) throw new MigrationError(`The database is PostgreSQL ${version}; version 14 or newer is needed.`);
  if (encoding !== 'UTF8') throw new MigrationError(`The database is encoded as ${encoding}; create one with ENCODING 'UTF8'.`);
}

function pad(number: number): string {
  return String(number).padStart(4, '0');
}
