import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTestDatabase } from '../../test/support/database.js';
import { statement } from './database.js';

let open: Awaited<ReturnType<typeof openTestDatabase>>;
beforeAll(async () => {
  open = await openTestDatabase();
});
afterAll(() => open.close());

const pid = statement<{ pid: number }>('test_pid', 'SELECT pg_backend_pid() AS pid');

test('a connection that breaks inside a transaction fails that transaction alone; the process and the pool go on', async () => {
  const { api, engine } = open.database;
  const doomed = api.transaction(async (transaction) => {
    const [row] = await transaction.query(pid);
    // While nothing is being asked on it: the driver has nobody to tell but its listeners.
    await engine.queryText('SELECT pg_terminate_backend($1)', [row!.pid]);
    await engine.queryText('SELECT pg_sleep(0.2)');
    return transaction.query(pid);
  });
  await expect(doomed).rejects.toThrow(/terminat|not queryable|closed/i);
  expect(await api.query(pid)).toHaveLength(1);
});

test('a transaction that throws leaves nothing behind, and its connection is used again', async () => {
  const { api } = open.database;
  await api.queryText('CREATE TABLE kept (x int)');
  const failing = api.transaction(async (transaction) => {
    await transaction.queryText('INSERT INTO kept VALUES (1)');
    throw new Error('changed my mind');
  });
  await expect(failing).rejects.toThrow('changed my mind');
  expect(await api.queryText('SELECT * FROM kept')).toEqual([]);
});

test('bigint is a number, and times are RFC 3339 in UTC with milliseconds whatever the session says', async () => {
  const rows = await open.database.api.queryText("SELECT 42::bigint AS n, '2026-01-02 03:04:05.6789+02'::timestamptz AS t");
  expect(rows).toEqual([{ n: 42, t: '2026-01-02T01:04:05.678Z' }]);
});
