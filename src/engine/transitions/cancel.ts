import { statement, type Queryable } from '../../database/database.js';
import type { ChangedTaskRow, TaskRef } from '../task-row.js';
import { actionOfStatus, lockedStatus, recordEvents, touched } from './sql.js';

const cancelStatement = statement<ChangedTaskRow>(
  'cancel',
  `WITH locked AS MATERIALIZED (
  SELECT tenant_id, id, status FROM tasks
  WHERE tenant_id = $1 AND id = $2 AND status IN ('pending', 'scheduled', 'blocked', 'queued', 'running') FOR UPDATE
), changed AS (
  UPDATE tasks t
  SET status = CASE t.status WHEN 'running' THEN 'cancelling' ELSE 'cancelled' END::task_status,
      cancel_requested_at = CASE t.status WHEN 'running' THEN now() END,
      cancel_state = CASE t.status WHEN 'running' THEN 'requested' END,
      finished_at = CASE t.status WHEN 'running' THEN NULL ELSE now() END, ${touched}
  FROM locked WHERE t.tenant_id = locked.tenant_id AND t.id = locked.id
  RETURNING t.*
), ${recordEvents(actionOfStatus, lockedStatus)}
SELECT c.*, (SELECT l.status FROM locked l) AS was FROM changed c`,
);

/**
 * running ──► cancelling (its worker is told to stop), anything that waits ──► cancelled at once.
 * Undefined when the task is finished or already being cancelled.
 */
export async function cancel(db: Queryable, { tenant_id, id }: TaskRef): Promise<ChangedTaskRow | undefined> {
  return (await db.query(cancelStatement, [tenant_id, id]))[0];
}
