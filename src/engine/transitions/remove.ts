import { statement, type Queryable } from '../../database/database.js';
import type { RemovedTask, TaskRef } from '../task-row.js';
import { recordEvents } from './sql.js';

const removeStatement = statement<RemovedTask>(
  'remove',
  `WITH changed AS (
  DELETE FROM tasks t
  WHERE t.tenant_id = $1 AND t.id = $2 AND t.status NOT IN ('running', 'cancelling') AND ($3::bigint IS NULL OR t.version = $3)
  RETURNING t.*
), attempts_gone AS (
  DELETE FROM attempts a USING changed c WHERE a.tenant_id = c.tenant_id AND a.task_id = c.id
), logs_gone AS (
  DELETE FROM task_logs l USING changed c WHERE l.tenant_id = c.tenant_id AND l.task_id = c.id
), ${recordEvents("'task_deleted'", 't.status')}
SELECT name, type, queue, priority, status, labels, attempt, created_by, created_at, version FROM changed`,
);

/** Deletes a task that does not run, with its attempts and logs. Answers what it was; undefined when it runs, is gone, or has another version. */
export async function remove(db: Queryable, { tenant_id, id }: TaskRef, version?: number): Promise<RemovedTask | undefined> {
  return (await db.query(removeStatement, [tenant_id, id, version ?? null]))[0];
}
