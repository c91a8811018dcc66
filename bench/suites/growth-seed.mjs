import pg from 'pg';

const batch = 100_000;
const batchesPerVacuum = 5;

/** Tasks as they are created: ids that grow with time over the last day. */
const insert = `
INSERT INTO tasks (tenant_id, id, name, type, queue, priority, status, parameters, labels, max_attempts, timeout_seconds, backoff,
                   created_by, created_at, updated_at, queued_at)
SELECT 'default',
       (lpad(to_hex(ms), 12, '0') || '7' || substr(md5(n::text), 1, 3) || '8' || substr(md5(n::text), 4, 15))::uuid,
       'Task ' || n % 1000, 'echo', 'default', 'medium', 'queued',
       jsonb_build_object('n', n, 'url', 'https://example.com/report'), '{}', 1, 300,
       '{"kind": "exponential", "delay_seconds": 1, "max_delay_seconds": 300, "jitter": 0.2}', 'bench', at, at, at
FROM (
  SELECT n, ms, to_timestamp(ms / 1000.0) AS at
  FROM (SELECT n, (extract(epoch FROM now()) * 1000 - 86400000 + n * 86400000.0 / $3)::bigint AS ms
        FROM generate_series($1::int, $2::int) AS n) AS numbered
) AS timed`;

/** The two steps of a life that follow: each leaves another version of the row, as the service does. One in ten has a result. */
const begin = `
UPDATE tasks SET status = 'running', attempt = 1, worker_id = 'bench-host-12345-1a2b3c4d', lease_token = gen_random_uuid(),
                 lease_expires_at = now() + interval '1 day', started_at = created_at, version = 2
WHERE tenant_id = 'default' AND status = 'queued'`;
const finish = `
UPDATE tasks SET status = 'completed', progress = 100, lease_token = NULL, lease_expires_at = NULL, finished_at = created_at, version = 3,
                 result = CASE WHEN (parameters ->> 'n')::int % 10 = 0 THEN parameters END
WHERE tenant_id = 'default' AND status = 'running'`;

/**
 * `finished` and `queued` tasks, in bounded transactions, as a day of use leaves them: every row has lived its life, with a vacuum
 * now and then. Rows that were written finished would leave a hole in every page, which no real past has. Their events are not made up.
 */
export async function seedTasks(connection, { finished, queued }, say) {
  const client = new pg.Client(connection);
  await client.connect();
  for (const [status, count] of [
    ['finished', finished],
    ['queued', queued],
  ]) {
    for (let from = 1; from <= count; from += batch) {
      const to = Math.min(count, from + batch - 1);
      await client.query(insert, [from, to, count]);
      if (status === 'finished') {
        await client.query(begin);
        await client.query(finish);
        if ((to / batch) % batchesPerVacuum === 0) await client.query('VACUUM (ANALYZE) tasks, task_filters');
      }
      if (count > batch) say(`seeded ${to.toLocaleString('en')} ${status} tasks`);
    }
  }
  await client.query('VACUUM (ANALYZE) tasks, task_filters');
  await client.query('CHECKPOINT');
  await client.end();
}

/** What a measurement has left in the line, so that the next one finds the state it is named after. */
export async function removeQueued(connection) {
  const client = new pg.Client(connection);
  await client.connect();
  await client.query(`DELETE FROM tasks WHERE tenant_id = 'default' AND status = 'queued'`);
  await client.query('VACUUM tasks, task_filters');
  await client.end();
}
