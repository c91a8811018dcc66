import { taskEventColumns } from '../../events/events.js';

/** Pieces that several transitions share. Aliases: `t` is the changed row. */

/** Columns of the next version of a row; every UPDATE of a transition sets them. */
export const touched = 'updated_at = now(), version = t.version + 1';

/** Gives the lease up; the row is then in line again, or finished. */
export const unleased = 'lease_token = NULL, lease_expires_at = NULL, cancel_requested_at = NULL';

/** Back in line: the attempt that ran is now history, kept by `archive`. */
export const withoutAttempt = `${unleased}, worker_id = NULL, started_at = NULL, progress = 0, progress_message = NULL`;

/**
 * Appends the events of all rows of the CTE `changed`, in the same statement that changed them.
 * `action` and `from`, the status that the row leaves (null when it stays), are SQL expressions over `t`, a row of `changed`.
 */
export function recordEvents(action: string, from: string): string {
  return `recorded AS (
  INSERT INTO events (tenant_id, task_id, action, from_status, ${taskEventColumns.join(', ')})
  SELECT t.tenant_id, t.id, ${action}, ${from}, ${taskEventColumns.map((column) => `t.${column}`).join(', ')} FROM changed t
)`;
}

/** The status that a row of `changed` had in the CTE `locked`. */
export const lockedStatus = '(SELECT l.status FROM locked l WHERE l.tenant_id = t.tenant_id AND l.id = t.id)';

/** Of an attempt that ended its task: what the task was meanwhile. */
export const endedFrom = "CASE t.status WHEN 'cancelled' THEN 'cancelling' ELSE 'running' END::task_status";

/** The action that tells where a row went, for transitions with several outcomes. */
export const actionOfStatus = `CASE t.status
    WHEN 'queued' THEN 'task_queued' WHEN 'completed' THEN 'task_completed' WHEN 'failed' THEN 'task_failed'
    WHEN 'cancelled' THEN 'task_cancelled' ELSE 'task_updated' END`;

/**
 * Keeps the attempts that end without ending their task. Source: the CTE `locked` with the rows as they were,
 * joined to `changed` with the rows as they are. `status` is a SQL expression over both.
 */
export function archiveAttempts(status: string, error: string): string {
  return `archived AS (
  INSERT INTO attempts (tenant_id, task_id, attempt, status, worker_id, started_at, finished_at, error)
  SELECT locked.tenant_id, locked.id, locked.attempt, ${status}, locked.worker_id, locked.started_at, now(), ${error}
  FROM locked JOIN changed ON changed.tenant_id = locked.tenant_id AND changed.id = locked.id
  WHERE changed.status IN ('queued', 'scheduled')
)`;
}
