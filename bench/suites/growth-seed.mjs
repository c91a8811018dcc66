import pg from 'pg';

const batch = 100_000;

/** Rows of `tasks` as a day of use leaves them, within any retention: ids that grow with time, one in ten with a result of its own. Their events are not made up. */
const insert = `
INSERT INTO tasks (tenant_id, id, name, type, queue, priority, status, parameters, labels, result, progress, attempt, max_attempts,
                   timeout_seconds, backoff, worker_id, created_by, created_at, updated_at, queued_at, started_at, finished_at)
SELECT 'default',
       (lpad(to_hex(ms), 12, '0') || '7' || substr(md5(n::text), 1, 3) || '8' || substr(md5(n::text), 4, 15))::uuid,
       'Task ' || n % 1000, 'echo', 'default', 'medium', $3::task_status,
       jsonb_build_object('n', n, 'url', 'https://example.com/report'), '{}',
       CASE WHEN done AND n % 10 = 0 THEN jsonb_build_object('n', n) END,
       CASE WHEN done THEN 100 ELSE 0 END, CASE WHEN done THEN 1 ELSE 0 END, 1, 300,
       '{"kind": "exponential", "delay_seconds": 1, "max_delay_seconds": 300, "jitter": 0.2}',
       CASE WHEN done THEN 'bench' END, 'bench', at, at, at, CASE WHEN done THEN at END, CASE WHEN done THEN at END
FROM (
  SELECT n, ms, to_timestamp(ms / 1000.0) AS at, $3 = 'completed' AS done
  FROM (SELECT n, (extract(epoch FROM now()) * 1000 - 86400000 + n * 86400000.0 / $4)::bigint AS ms
        FROM generate_series($1::int, $2::int) AS n) AS numbered
) AS timed`;

/** `finished` and `queued` tasks, in bounded transactions, then the statistics that a table of that age has. */
export async function seedTasks(connection, { finished, queued }, say) {
  const client = new pg.Client(connection);
  await client.connect();
  for (const [status, count] of [
    ['completed', finished],
    ['queued', queued],
  ]) {
    for (let from = 1; from <= count; from += batch) {
      await client.query(insert, [from, Math.min(count, from + batch - 1), status, count]);
      if (count > batch) say(`seeded ${Math.min(count, from + batch - 1).toLocaleString('en')} ${status} tasks`);
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
