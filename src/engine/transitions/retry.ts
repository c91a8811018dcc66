import { statement, type Queryable } from '../../database/database.js';
import type { ChangedTaskRow, TaskRef } from '../task-row.js';
import { lockedStatus, recordEvents, touched, withoutAttempt } from './sql.js';

const retryStatement = statement<ChangedTaskRow>(
  'retry',
  `WITH locked AS MATERIALIZED (
  SELECT * FROM tasks WHERE tenant_id = $1 AND id = $2 AND status IN ('failed', 'cancelled') FOR UPDATE
), archived AS (
  -- A task that was cancelled while it waited has no attempt of its own to keep.
  INSERT INTO attempts (tenant_id, task_id, attempt, status, worker_id, started_at, finished_at, error)
  SELECT tenant_id, id, attempt, status::text, worker_id, started_at, finished_at, error FROM locked WHERE started_at IS NOT NULL
), changed AS (
  UPDATE tasks t
  SET status = 'queued', queued_at = now(), finished_at = NULL, error = NULL, run_at = NULL, cancel_state = NULL,
      uncounted_attempts = t.attempt, rescues = 0, ${withoutAttempt}, ${touched}
  FROM locked WHERE t.tenant_id = locked.tenant_id AND t.id = locked.id
  RETURNING t.*
), ${recordEvents("'task_queued'", lockedStatus)}
SELECT c.*, (SELECT l.status FROM locked l) AS was FROM changed c`,
);

/** failed | cancelled ──► queued with a fresh attempt budget. Undefined in any other state. */
export async function retry(db: Queryable, { tenant_id, id }: TaskRef): Promise<ChangedTaskRow | undefined> {
  return (await db.query(retryStatement, [tenant_id, id]))[0];
}
