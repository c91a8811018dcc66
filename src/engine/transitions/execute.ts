import { statement, type Queryable } from '../../database/database.js';
import type { TaskRef, TaskRow } from '../task-row.js';
import { recordEvents, touched } from './sql.js';

const executeStatement = statement<TaskRow>(
  'execute',
  `WITH input AS (
  SELECT * FROM unnest($1::text[], $2::uuid[]) AS i(tenant_id, id)
), locked AS MATERIALIZED (
  SELECT t.tenant_id, t.id FROM tasks t JOIN input i ON t.tenant_id = i.tenant_id AND t.id = i.id
  WHERE t.status = 'pending'
  ORDER BY t.id
  FOR UPDATE OF t
), changed AS (
  UPDATE tasks t SET status = 'queued', queued_at = now(), ${touched}
  FROM locked WHERE t.tenant_id = locked.tenant_id AND t.id = locked.id
  RETURNING t.*
), ${recordEvents("'task_queued'", "'pending'")}
SELECT * FROM changed`,
);

/** pending ──► queued. Answers each row in order; undefined for a task that is not pending. Every task at most once. */
export async function execute(db: Queryable, refs: TaskRef[]): Promise<(TaskRow | undefined)[]> {
  const rows = await db.query(executeStatement, [refs.map((ref) => ref.tenant_id), refs.map((ref) => ref.id)]);
  const byId = new Map(rows.map((row) => [row.id, row]));
  return refs.map(({ id }) => byId.get(id));
}
