import { statement, type Queryable } from '../../database/database.js';
import type { TaskRef, TaskRow } from '../task-row.js';
import { actionOfStatus, recordEvents, touched } from './sql.js';

const cancelStatement = statement<TaskRow>(
  'cancel',
  `WITH changed AS (
  UPDATE tasks t
  SET status = CASE t.status WHEN 'running' THEN 'cancelling' ELSE 'cancelled' END::task_status,
      cancel_requested_at = CASE t.status WHEN 'running' THEN now() END,
      cancel_state = CASE t.status WHEN 'running' THEN 'requested' END,
      finished_at = CASE t.status WHEN 'running' THEN NULL ELSE now() END, ${touched}
  WHERE t.tenant_id = $1 AND t.id = $2 AND t.status IN ('pending', 'scheduled', 'blocked', 'queued', 'running')
  RETURNING t.*
), ${recordEvents(actionOfStatus)}
SELECT * FROM changed`,
);

/**
 * running ──► cancelling (its worker is told to stop), anything that waits ──► cancelled at once.
 * Undefined when the task is finished or already being cancelled.
 */
export async function cancel(db: Queryable, { tenant_id, id }: TaskRef): Promise<TaskRow | undefined> {
  return (await db.query(cancelStatement, [tenant_id, id]))[0];
}
