import { statement, type Queryable } from '../../database/database.js';
import type { TaskStatus } from '../../tasks/task.js';
import { actionOfStatus, archiveAttempts, endedFrom, recordEvents, touched } from './sql.js';

const leaseLost = `jsonb_build_object('code', 'LEASE_LOST', 'retryable', true, 'attempt', d.attempt, 'message',
      'The worker ' || d.worker_id || ' stopped renewing its lease; ' || (d.rescues + 1) || ' lost leases since the task was queued.')`;

const rescueStatement = statement<{ id: string; status: TaskStatus }>(
  'rescue',
  `WITH locked AS MATERIALIZED (
  SELECT * FROM tasks
  WHERE status IN ('running', 'cancelling')
    AND (lease_expires_at < now() OR cancel_requested_at < now() - make_interval(secs => $2))
  ORDER BY id
  LIMIT $3
  FOR UPDATE SKIP LOCKED
), decided AS (
  SELECT l.*, CASE WHEN l.status = 'cancelling' THEN 'cancelled' WHEN l.rescues >= $1 THEN 'failed' ELSE 'queued' END::task_status AS next_status
  FROM locked l
), changed AS (
  UPDATE tasks t
  SET status = d.next_status,
      error = CASE d.next_status WHEN 'failed' THEN ${leaseLost} WHEN 'cancelled' THEN NULL ELSE t.error END,
      cancel_state = CASE d.next_status WHEN 'cancelled' THEN 'ignored' ELSE t.cancel_state END,
      queued_at = CASE d.next_status WHEN 'queued' THEN now() ELSE t.queued_at END,
      finished_at = CASE d.next_status WHEN 'queued' THEN NULL ELSE now() END,
      worker_id = CASE d.next_status WHEN 'queued' THEN NULL ELSE t.worker_id END,
      started_at = CASE d.next_status WHEN 'queued' THEN NULL ELSE t.started_at END,
      progress = CASE d.next_status WHEN 'queued' THEN 0 ELSE t.progress END,
      progress_message = CASE d.next_status WHEN 'queued' THEN NULL ELSE t.progress_message END,
      uncounted_attempts = t.uncounted_attempts + 1, rescues = t.rescues + 1,
      lease_token = NULL, lease_expires_at = NULL, cancel_requested_at = NULL, ${touched}
  FROM decided d WHERE t.tenant_id = d.tenant_id AND t.id = d.id
  RETURNING t.*
), ${archiveAttempts("'lost'", 'NULL')},
counted AS (
  INSERT INTO task_count_changes (tenant_id, queue, type, name, change)
  SELECT tenant_id, queue, type, 'lost_total', count(*) FROM locked GROUP BY tenant_id, queue, type
),
${recordEvents(actionOfStatus, endedFrom)}
SELECT id, status FROM changed`,
);

export interface RescueLimits {
  /** Lost leases a task survives; the next one fails it as `LEASE_LOST`. */
  max_rescues: number;
  cancel_grace_seconds: number;
  /** Rows of one batch. */
  limit: number;
}

/**
 * Takes work back whose lease expired (running ──► queued | failed) or that did not stop in time after a cancel
 * (cancelling ──► cancelled). The database's clock decides.
 */
export function rescue(db: Queryable, limits: RescueLimits): Promise<{ id: string; status: TaskStatus }[]> {
  return db.query(rescueStatement, [limits.max_rescues, limits.cancel_grace_seconds, limits.limit]);
}

const expireStatement = statement(
  'expire_leases',
  `UPDATE tasks t SET lease_expires_at = now() WHERE status IN ('running', 'cancelling')
   AND NOT EXISTS (SELECT FROM workers w WHERE w.tenant_id = t.tenant_id AND w.id = t.worker_id)`,
);

/** Lets every lease of the server's own expire now, for one that is alone with its database: whoever held them is dead. */
export async function expireLeases(db: Queryable): Promise<void> {
  await db.query(expireStatement);
}
