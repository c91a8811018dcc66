import { statement, type Queryable } from '../../database/database.js';
import type { JsonObject, Lease } from '../task-row.js';
import { recordEvents, touched } from './sql.js';

export interface Progress extends Lease {
  /** 0..100; null leaves it, and the message, as they are. */
  progress: number | null;
  progress_message: string | null;
  /** What the next attempt gets; null or absent keeps what is there. */
  checkpoint?: JsonObject | null;
}

const progressStatement = statement<{ id: string }>(
  'progress',
  `WITH input AS (
  SELECT * FROM unnest($1::text[], $2::uuid[], $3::int[], $4::uuid[], $5::real[], $6::text[], $7::jsonb[])
    AS i(tenant_id, id, attempt, lease_token, progress, progress_message, checkpoint)
), locked AS MATERIALIZED (
  SELECT t.tenant_id, t.id, i.progress, i.progress_message, i.checkpoint FROM tasks t JOIN input i ON t.tenant_id = i.tenant_id AND t.id = i.id
  WHERE t.attempt = i.attempt AND t.lease_token = i.lease_token
  ORDER BY t.id
  FOR UPDATE OF t
), changed AS (
  UPDATE tasks t
  SET progress = coalesce(locked.progress, t.progress),
      progress_message = CASE WHEN locked.progress IS NULL THEN t.progress_message ELSE locked.progress_message END,
      checkpoint = coalesce(locked.checkpoint, t.checkpoint), ${touched}
  FROM locked WHERE t.tenant_id = locked.tenant_id AND t.id = locked.id
  RETURNING t.*
), ${recordEvents("'task_progress'", 'NULL')}
SELECT id FROM changed`,
);

/** Stores how far running attempts are, and what they keep for the next. Reports of lost leases are dropped. */
export async function progress(db: Queryable, reports: Progress[]): Promise<void> {
  await db.query(progressStatement, [
    reports.map((report) => report.tenant_id),
    reports.map((report) => report.id),
    reports.map((report) => report.attempt),
    reports.map((report) => report.lease_token),
    reports.map((report) => report.progress),
    reports.map((report) => report.progress_message),
    reports.map(({ checkpoint }) => (checkpoint ? JSON.stringify(checkpoint) : null)),
  ]);
}
