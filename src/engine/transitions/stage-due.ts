import { statement, type Queryable } from '../../database/database.js';
import { recordEvents, touched } from './sql.js';

const stageDueStatement = statement<{ id: string }>(
  'stage_due',
  `WITH locked AS MATERIALIZED (
  SELECT tenant_id, id FROM tasks WHERE status = 'scheduled' AND run_at <= now()
  ORDER BY run_at
  LIMIT $1
  FOR UPDATE SKIP LOCKED
), changed AS (
  UPDATE tasks t SET status = 'queued', queued_at = now(), ${touched}
  FROM locked WHERE t.tenant_id = locked.tenant_id AND t.id = locked.id
  RETURNING t.*
), ${recordEvents("'task_queued'", "'scheduled'")}
SELECT id FROM changed`,
);

const nextDueStatement = statement<{ seconds: number }>(
  'next_due',
  `SELECT extract(epoch FROM run_at - now())::float8 AS seconds FROM tasks
WHERE status = 'scheduled' AND run_at IS NOT NULL ORDER BY run_at LIMIT 1`,
);

/** Until the next scheduled task is due, by the database's clock; Infinity when there is none. */
export async function secondsUntilDue(db: Queryable): Promise<number> {
  return (await db.query(nextDueStatement))[0]?.seconds ?? Infinity;
}

/** scheduled ──► queued: what is due joins the line, in sets of at most `limit`. */
export function stageDue(db: Queryable, limit: number): Promise<{ id: string }[]> {
  return db.query(stageDueStatement, [limit]);
}
