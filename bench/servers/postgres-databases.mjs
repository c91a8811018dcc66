import pg from 'pg';

/**
 * What the suites need of a running PostgreSQL, whichever it is.
 * `connection`: host (the directory of its socket), port, user; `pid`: its postmaster.
 */
export async function postgresDatabases({ connection, pid, stop }) {
  const client = new pg.Client({ ...connection, database: 'postgres', application_name: 'bench' });
  client.on('error', () => undefined);
  await client.connect();
  const one = async (sql) => (await client.query(sql)).rows[0];
  let created = 0;
  return {
    pid,
    version: `PostgreSQL ${(await one('SHOW server_version')).server_version.split(' ')[0]}`,
    fsync: (await one('SHOW fsync')).fsync,
    /** A fresh, empty database; what earlier ones left to be written is written first. */
    async create() {
      const database = `bench_${++created}`;
      await client.query(`CREATE DATABASE ${database}`);
      await client.query('CHECKPOINT');
      return { ...connection, database };
    },
    async drop({ database }) {
      await client.query(`DROP DATABASE ${database} WITH (FORCE)`);
    },
    async bytesWritten() {
      return Number((await one(`SELECT pg_current_wal_insert_lsn() - '0/0' AS bytes`)).bytes);
    },
    /** Transactions so far, our own left out: this connection asks from another database. */
    async queries({ database }) {
      const { count } = (
        await client.query('SELECT xact_commit + xact_rollback AS count FROM pg_stat_database WHERE datname = $1', [database])
      ).rows[0];
      return Number(count);
    },
    async stop() {
      await client.end();
      await stop();
    },
  };
}
