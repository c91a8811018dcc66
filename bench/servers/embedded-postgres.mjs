// The PostgreSQL that the product brings with it, started by the product's own code.
import { startEmbeddedPostgres } from '../../dist/database/embedded-postgres.js';
import { postgresDatabases } from './postgres-databases.mjs';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

export async function startEmbedded(directory) {
  const home = join(directory, 'embedded');
  mkdirSync(home);
  const server = await startEmbeddedPostgres({ directory: home, log: () => undefined });
  return postgresDatabases({ connection: server.connection, pid: server.processId, stop: () => server.stop() });
}
