import { statement, type Queryable } from '../../database/database.js';
import type { TaskRef, TaskRow } from '../task-row.js';
import { recordEvents, touched } from './sql.js';

const executeStatement = statement<TaskRow>(
  'execute',
  `WITH changed AS (
  UPDATE tasks t SET status = 'queued', queued_at = now(), ${touched}
  WHERE t.tenant_id = $1 AND t.id = $2 AND t.status = 'pending'
  RETURNING t.*
), ${recordEvents("'task_queued'")}
SELECT * FROM changed`,
);

/** pending ──► queued. Undefined when the task is not pending. */
export async function execute(db: Queryable, { tenant_id, id }: TaskRef): Promise<TaskRow | undefined> {
  return (await db.query(executeStatement, [tenant_id, id]))[0];
}
