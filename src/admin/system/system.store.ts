import { statement, type Database } from '../../database/database.js';

export interface DatabaseRow {
  version: string;
  started_at: string;
  size_bytes: number;
  /** Of all who use that server, and how many it takes. */
  connections: number;
  max_connections: number;
}

export interface TableRow {
  name: string;
  /** With its indexes. */
  size_bytes: number;
  /** As the planner guesses. */
  rows_estimate: number;
}

export interface MigrationRow {
  number: number;
  name: string;
  applied_at: string;
}

const databaseStatement = statement<DatabaseRow>(
  'system_database',
  `SELECT current_setting('server_version') AS version, pg_postmaster_start_time() AS started_at, pg_database_size(current_database()) AS size_bytes,
          (SELECT coalesce(sum(numbackends), 0) FROM pg_stat_database)::bigint AS connections, current_setting('max_connections')::integer AS max_connections`,
);
const tablesStatement = statement<TableRow>(
  'system_tables',
  `SELECT relname AS name, pg_total_relation_size(oid) AS size_bytes, greatest(reltuples, 0)::bigint AS rows_estimate
   FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' ORDER BY size_bytes DESC, name LIMIT 100`,
);
const migrationsStatement = statement<MigrationRow>(
  'system_migrations',
  'SELECT number, name, applied_at FROM schema_migrations ORDER BY number',
);

/** What PostgreSQL says of itself. */
export class SystemStore {
  constructor(private readonly database: Database) {}

  async server(): Promise<DatabaseRow> {
    return (await this.database.api.query(databaseStatement))[0]!;
  }

  /** The largest first. */
  tables(): Promise<TableRow[]> {
    return this.database.api.query(tablesStatement);
  }

  migrations(): Promise<MigrationRow[]> {
    return this.database.api.query(migrationsStatement);
  }
}
