import { createPostgresBackend, runMigrations } from 'bullmq';
import pg from 'pg';
import { startBullmq } from './bullmq.mjs';

/**
 * "Processing, concurrency 8-32" is the fastest row of the guide's table, and each backend is to have as many connections as it
 * has concurrency. https://docs.bullmq.io/guide/postgresql ("Indicative numbers" and "Tuning tips"). Its other tip,
 * synchronous_commit = off, is not followed: durable writes are what is compared.
 */
const concurrency = 32;

export async function start(connection) {
  const client = new pg.Client(connection);
  await client.connect();
  await runMigrations(client);
  await client.end();
  return startBullmq({ connection: { ...connection, max: concurrency }, concurrency, backend: [createPostgresBackend] });
}
