import pg from 'pg';

/** Runs one statement on a connection of its own, past all faults of connections. Throws while the database is down. */
export type Query = <Row>(text: string, values?: unknown[]) => Promise<Row[]>;

export function queryOn(connection: pg.ClientConfig): Query {
  return async <Row>(text: string, values: unknown[] = []) => {
    const client = new pg.Client({ ...connection, application_name: 'chaos', connectionTimeoutMillis: 5_000, query_timeout: 120_000 });
    // A server that dies during the query is reported twice: by the query, and by this event.
    client.on('error', () => undefined);
    try {
      await client.connect();
      return (await client.query<Row & pg.QueryResultRow>(text, values)).rows;
    } finally {
      await client.end().catch(() => undefined);
    }
  };
}
