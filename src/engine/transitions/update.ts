import { statement, type Queryable } from '../../database/database.js';
import type { NewTask, TaskRef, TaskRow } from '../task-row.js';
import { lockedStatus, recordEvents, touched } from './sql.js';

/** What a client may change while no attempt has started. */
export type EditableFields = Pick<
  NewTask,
  'name' | 'type' | 'queue' | 'priority' | 'parameters' | 'labels' | 'max_attempts' | 'timeout_seconds' | 'backoff' | 'run_at'
>;

const updateStatement = statement<TaskRow>(
  'update',
  `WITH locked AS MATERIALIZED (
  SELECT tenant_id, id, status, queue, type FROM tasks
  WHERE tenant_id = $1 AND id = $2 AND version = $3 AND attempt = 0 AND status IN ('pending', 'scheduled', 'queued') FOR UPDATE
), changed AS (
  UPDATE tasks t
  SET name = $4, type = $5, queue = $6, priority = $7, parameters = $8, labels = $9,
      max_attempts = $10, timeout_seconds = $11, backoff = $12, run_at = $13,
      status = CASE WHEN $13::timestamptz > now() THEN 'scheduled' WHEN t.status = 'pending' AND $13 IS NULL THEN 'pending' ELSE 'queued' END::task_status,
      queued_at = CASE WHEN $13 > now() OR t.status = 'pending' AND $13 IS NULL THEN NULL ELSE coalesce(t.queued_at, now()) END, ${touched}
  FROM locked WHERE t.tenant_id = locked.tenant_id AND t.id = locked.id
  RETURNING t.*
), moved AS (
  -- Counted by queue and type: a task that changes them leaves the old ones. The event tells of its status alone.
  INSERT INTO task_count_changes (tenant_id, queue, type, name, change)
  SELECT l.tenant_id, v.queue, v.type, l.status::text, v.change
  FROM locked l, changed c, LATERAL (VALUES (l.queue, l.type, -1), (c.queue, c.type, 1)) AS v(queue, type, change)
  WHERE (l.queue, l.type) <> (c.queue, c.type)
), ${recordEvents("'task_updated'", lockedStatus)}
SELECT * FROM changed`,
);

/**
 * Replaces the editable fields of a task that was never claimed. `run_at` decides where it waits, as at create.
 * Undefined when the version is another by now or an attempt has started.
 */
export async function update(db: Queryable, ref: TaskRef, version: number, fields: EditableFields): Promise<TaskRow | undefined> {
  const rows = await db.query(updateStatement, [
    ref.tenant_id,
    ref.id,
    version,
    fields.name,
    fields.type,
    fields.queue,
    fields.priority,
    JSON.stringify(fields.parameters),
    JSON.stringify(fields.labels),
    fields.max_attempts,
    fields.timeout_seconds,
    JSON.stringify(fields.backoff),
    fields.run_at,
  ]);
  return rows[0];
}
