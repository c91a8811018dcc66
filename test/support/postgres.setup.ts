import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { startEmbeddedPostgres } from '../../src/database/embedded-postgres.js';
import { migrate } from '../../src/database/migrate.js';

/*
 * One PostgreSQL for the whole run: TEST_DATABASE_URL, or the embedded one in a temporary directory.
 * It holds one migrated template; every test file clones what it needs from it.
 */

export const templateName = 'arkitect_test_template';

declare module 'vitest' {
  export interface ProvidedContext {
    /** URL of the maintenance database of the test server. */
    postgresUrl: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { url, stop } = process.env.TEST_DATABASE_URL
    ? { url: process.env.TEST_DATABASE_URL, stop: async () => undefined }
    : await embedded();
  await makeTemplate(url);
  project.provide('postgresUrl', url);
  return stop;
}

async function embedded(): Promise<{ url: string; stop(): Promise<void> }> {
  const directory = mkdtempSync(join(tmpdir(), 'arkitect-test-'));
  // Nothing here outlives the run, and cloning databases is mostly waiting for the disk.
  const parameters = { fsync: 'off', max_connections: '200' };
  const postgres = await startEmbeddedPostgres({ directory, parameters, log: () => undefined });
  const { host, port, user, database } = postgres.connection;
  return {
    url: `postgresql://${user}@localhost:${port}/${database}?host=${encodeURIComponent(host)}`,
    async stop() {
      await postgres.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function makeTemplate(url: string): Promise<void> {
  const server = new pg.Client({ connectionString: url });
  await server.connect();
  await server.query(`DROP DATABASE IF EXISTS ${templateName}`);
  await server.query(`CREATE DATABASE ${templateName}`);
  await server.end();
  const template = new pg.Client({ connectionString: databaseUrl(url, templateName) });
  await template.connect();
  await migrate(template);
  await template.end();
}

/** The same server, another database. */
export function databaseUrl(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.href;
}
