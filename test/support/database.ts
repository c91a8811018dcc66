import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import { Database } from '../../src/database/database.js';
import { databaseUrl, templateName } from './postgres.setup.js';

export interface TestDatabase extends AsyncDisposable {
  url: string;
  name: string;
  drop(): Promise<void>;
}

/** A migrated database of its own, cloned from the template. */
export async function createDatabase(template: string | undefined = templateName): Promise<TestDatabase> {
  const name = `arkitect_test_${randomBytes(6).toString('hex')}`;
  await onServer(`CREATE DATABASE ${name}${template ? ` TEMPLATE ${template}` : ''}`);
  const drop = () => onServer(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  return { url: databaseUrl(inject('postgresUrl'), name), name, drop, [Symbol.asyncDispose]: drop };
}

/** The same, opened with the server's own driver; `close` also drops it. */
export async function openTestDatabase(): Promise<{ database: Database; url: string; close(): Promise<void> }> {
  const { url, drop } = await createDatabase();
  const database = new Database({ connection: { connectionString: url }, poolSize: 10, onError: () => undefined });
  return {
    database,
    url,
    async close() {
      await database.close();
      await drop();
    },
  };
}

async function onServer(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: inject('postgresUrl') });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
