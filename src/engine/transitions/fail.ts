import { statement, type Queryable } from '../../database/database.js';
import type { Lease } from '../task-row.js';
import { settledInOrder, type Settled } from './complete.js';
import { actionOfStatus, archiveAttempts, endedFrom, recordEvents, touched } from './sql.js';

export interface Failure extends Lease {
  /** UPPER_SNAKE_CASE. */
  code: string;
  message: string;
  retryable: boolean;
  /** Overrides the task's backoff for the next attempt. */
  retry_after_seconds: number | null;
}

const failStatement = statement<{ id: string; status: Settled }>(
  'fail',
  `WITH input AS (
  SELECT * FROM unnest($1::text[], $2::uuid[], $3::int[], $4::uuid[], $5::text[], $6::text[], $7::boolean[], $8::float8[])
    AS i(tenant_id, id, attempt, lease_token, code, message, retryable, retry_after_seconds)
), locked AS MATERIALIZED (
  SELECT t.*, i.code, i.message, i.retryable, i.retry_after_seconds, t.attempt - t.uncounted_attempts AS counted
  FROM tasks t JOIN input i ON t.tenant_id = i.tenant_id AND t.id = i.id
  WHERE t.attempt = i.attempt AND t.lease_token = i.lease_token
  ORDER BY t.id
  FOR UPDATE OF t
), delayed AS (
  SELECT l.*, coalesce(l.retry_after_seconds,
    least(
      (l.backoff->>'delay_seconds')::float8 * CASE l.backoff->>'kind'
        WHEN 'fixed' THEN 1 WHEN 'linear' THEN l.counted ELSE 2 ^ least(l.counted - 1, 40) END,
      (l.backoff->>'max_delay_seconds')::float8
    ) * (1 - (l.backoff->>'jitter')::float8 * random())) AS delay_seconds
  FROM locked l
), decided AS (
  SELECT d.*, CASE
    WHEN d.status = 'cancelling' THEN 'cancelled'
    WHEN NOT d.retryable OR d.counted >= d.max_attempts THEN 'failed'
    WHEN d.delay_seconds > 0 THEN 'scheduled'
    ELSE 'queued' END::task_status AS next_status,
    jsonb_build_object('code', d.code, 'message', d.message, 'retryable', d.retryable, 'attempt', d.attempt) AS failure
  FROM delayed d
), changed AS (
  UPDATE tasks t
  SET status = d.next_status,
      error = CASE d.next_status WHEN 'cancelled' THEN NULL ELSE d.failure END,
      cancel_state = CASE d.next_status WHEN 'cancelled' THEN 'stopped' ELSE t.cancel_state END,
      run_at = CASE d.next_status WHEN 'scheduled' THEN now() + make_interval(secs => d.delay_seconds) ELSE t.run_at END,
      queued_at = CASE d.next_status WHEN 'queued' THEN now() ELSE t.queued_at END,
      finished_at = CASE WHEN d.next_status IN ('failed', 'cancelled') THEN now() END,
      worker_id = CASE WHEN d.next_status IN ('failed', 'cancelled') THEN t.worker_id END,
      started_at = CASE WHEN d.next_status IN ('failed', 'cancelled') THEN t.started_at END,
      progress = CASE WHEN d.next_status IN ('failed', 'cancelled') THEN t.progress ELSE 0 END,
      progress_message = CASE WHEN d.next_status IN ('failed', 'cancelled') THEN t.progress_message END,
      lease_token = NULL, lease_expires_at = NULL, cancel_requested_at = NULL, ${touched}
  FROM decided d WHERE t.tenant_id = d.tenant_id AND t.id = d.id
  RETURNING t.*
), ${archiveAttempts("'failed'", 'changed.error')},
${recordEvents(actionOfStatus, endedFrom)}
SELECT id, status FROM changed`,
);

/** running ──► failed, or ──► scheduled | queued for another attempt; cancelling ──► cancelled. Fenced. */
export async function fail(db: Queryable, failures: Failure[]): Promise<Settled[]> {
  const rows = await db.query(failStatement, [
    failures.map((failure) => failure.tenant_id),
    failures.map((failure) => failure.id),
    failures.map((failure) => failure.attempt),
    failures.map((failure) => failure.lease_token),
    failures.map((failure) => failure.code),
    failures.map((failure) => failure.message),
    failures.map((failure) => failure.retryable),
    failures.map((failure) => failure.retry_after_seconds),
  ]);
  return settledInOrder(failures, rows);
}
