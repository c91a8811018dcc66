import pg from 'pg';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../../test/support/database.js';
import { migrate, pendingMigrations, readMigrations, type Migration } from './migrate.js';

let database: TestDatabase;
const clients: pg.Client[] = [];
beforeEach(async () => {
  database = await createDatabase('template0');
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.end()));
  await database.drop();
});

async function connect(): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  clients.push(client);
  return client;
}

function migration(number: number, sql: string): Migration {
  return { number, name: `000${number}_test.sql`, sql, sha256: `hash of ${sql}` };
}

test('an empty database gets every migration once; a second start finds nothing to do', async () => {
  const client = await connect();
  expect(await migrate(client)).toEqual(readMigrations().map(({ name }) => name));
  expect(await migrate(client)).toEqual([]);
});

test('several replicas that start at once take turns: each migration is applied by exactly one of them', async () => {
  const all = await Promise.all(Array.from({ length: 5 }, async () => migrate(await connect())));
  expect(all.flat().toSorted()).toEqual(readMigrations().map(({ name }) => name));
});

test('tasks and events of before the sixth migration are found by it and after it', async () => {
  const client = await connect();
  await migrate(client, readMigrations().slice(0, 5));
  await client.query(
    `INSERT INTO tasks (tenant_id, id, name, type, queue, priority, status, parameters, labels, max_attempts, timeout_seconds, backoff, created_by)
     VALUES ('default', '0190a0a0-0000-7000-8000-000000000001', 'old', 'echo', 'q', 'high', 'pending', '{}', '{"team": "a"}', 1, 300, '{}', 'x')`,
  );
  await client.query(
    `INSERT INTO events (tenant_id, task_id, action, data) VALUES
       ('default', '0190a0a0-0000-7000-8000-000000000001', 'task_created',
        '{"name": "old", "status": "pending", "labels": {"team": "a"}, "progress": 12.5, "version": 1, "created_at": "2026-01-31T13:37:00.123Z"}'),
       ('default', '0190a0a0-0000-7000-8000-000000000001', 'task_log', '{"log": {"level": "info", "message": "hello"}}')`,
  );
  await migrate(client);
  const { rows: filters } = await client.query('SELECT name, type, queue, priority, labels FROM task_filters');
  expect(filters).toEqual([{ name: 'old', type: 'echo', queue: 'q', priority: 'high', labels: { team: 'a' } }]);
  const { rows: events } = await client.query('SELECT name, status, labels, progress, version, created_at, log FROM events ORDER BY seq');
  const nothing = { name: null, status: null, labels: null, progress: null, version: null, created_at: null, log: null };
  expect(events).toEqual([
    {
      ...nothing,
      name: 'old',
      status: 'pending',
      labels: { team: 'a' },
      progress: 12.5,
      version: '1',
      created_at: new Date('2026-01-31T13:37:00.123Z'),
    },
    { ...nothing, log: { level: 'info', message: 'hello' } },
  ]);
});

test('a migration that fails leaves nothing of itself or of its siblings', async () => {
  const client = await connect();
  const broken = [...readMigrations(), migration(readMigrations().length + 1, 'CREATE TABLE half (x int); SELECT no_such_function()')];
  await expect(migrate(client, broken)).rejects.toThrow('no_such_function');
  const { rows } = await client.query("SELECT to_regclass('half') AS half, to_regclass('tasks') AS tasks");
  expect(rows).toEqual([{ half: null, tasks: null }]);
  expect(await migrate(client)).toHaveLength(readMigrations().length);
});

test('a database that is newer than the build is refused, with what to do', async () => {
  const client = await connect();
  await migrate(client);
  await client.query("INSERT INTO schema_migrations (number, name, sha256) VALUES (99, '0099_future.sql', 'x')");
  await expect(migrate(client)).rejects.toThrow(/newer than this build: it has migration 0099_future\.sql.*Start the newer build/);
});

test('an applied file that was edited is refused', () => {
  expect(() => pendingMigrations([migration(1, 'new text')], [{ ...migration(1, 'old text') }])).toThrow(/0001_test\.sql was changed/);
});

test('a database that is not UTF-8 is refused', async () => {
  const latin = new pg.Client({ connectionString: inject('postgresUrl') });
  await latin.connect();
  await latin.query(`DROP DATABASE ${database.name}`);
  await latin.query(`CREATE DATABASE ${database.name} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0`);
  await latin.end();
  await expect(migrate(await connect())).rejects.toThrow("The database is encoded as LATIN1; create one with ENCODING 'UTF8'.");
});
