import { statement, type Queryable } from '../../database/database.js';
import type { JsonObject, Lease } from '../task-row.js';

export interface LogLine extends Lease {
  level: 'debug' | 'info' | 'warn' | 'error';
  message: string;
  data: JsonObject | null;
}

const appendLogsStatement = statement<{ id: number }>(
  'append_logs',
  `WITH input AS (
  SELECT * FROM unnest($1::text[], $2::uuid[], $3::int[], $4::uuid[], $5::text[], $6::text[], $7::jsonb[])
    WITH ORDINALITY AS i(tenant_id, id, attempt, lease_token, level, message, data, position)
), locked AS MATERIALIZED (
  -- Locked, so that the events of one task are numbered in the order in which they become visible.
  SELECT t.* FROM tasks t WHERE (t.tenant_id, t.id) IN (SELECT i.tenant_id, i.id FROM input i) ORDER BY t.id FOR UPDATE
), fenced AS (
  SELECT i.*, t.name, t.type, t.queue, t.priority, t.status, t.labels FROM input i JOIN locked t ON t.tenant_id = i.tenant_id AND t.id = i.id
  WHERE t.attempt = i.attempt AND t.lease_token = i.lease_token
), kept AS (
  INSERT INTO task_logs (tenant_id, task_id, attempt, level, message, data)
  SELECT tenant_id, id, attempt, level, message, data FROM fenced ORDER BY position
  RETURNING id
), recorded AS (
  INSERT INTO events (tenant_id, task_id, action, name, type, queue, priority, status, labels, attempt, log)
  SELECT tenant_id, id, 'task_log', name, type, queue, priority, status, labels, attempt,
         jsonb_strip_nulls(jsonb_build_object('level', level, 'message', message, 'data', data))
  FROM fenced ORDER BY position
)
SELECT id FROM kept`,
);

/** Keeps log lines of running attempts, in order. Lines of lost leases are dropped. */
export async function appendLogs(db: Queryable, lines: LogLine[]): Promise<void> {
  await db.query(appendLogsStatement, [
    lines.map((line) => line.tenant_id),
    lines.map((line) => line.id),
    lines.map((line) => line.attempt),
    lines.map((line) => line.lease_token),
    lines.map((line) => line.level),
    lines.map((line) => line.message),
    lines.map((line) => (line.data ? JSON.stringify(line.data) : null)),
  ]);
}
