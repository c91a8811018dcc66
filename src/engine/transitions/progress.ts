import { statement, type Queryable } from '../../database/database.js';
import type { Lease } from '../task-row.js';
import { recordEvents, touched } from './sql.js';

export interface Progress extends Lease {
  /** 0..100 */
  progress: number;
  progress_message: string | null;
}

const progressStatement = statement<{ id: string }>(
  'progress',
  `WITH input AS (
  SELECT * FROM unnest($1::text[], $2::uuid[], $3::int[], $4::uuid[], $5::real[], $6::text[])
    AS i(tenant_id, id, attempt, lease_token, progress, progress_message)
), locked AS MATERIALIZED (
  SELECT t.tenant_id, t.id, i.progress, i.progress_message FROM tasks t JOIN input i ON t.tenant_id = i.tenant_id AND t.id = i.id
  WHERE t.attempt = i.attempt AND t.lease_token = i.lease_token
  ORDER BY t.id
  FOR UPDATE OF t
), changed AS (
  UPDATE tasks t SET progress = locked.progress, progress_message = locked.progress_message, ${touched}
  FROM locked WHERE t.tenant_id = locked.tenant_id AND t.id = locked.id
  RETURNING t.*
), ${recordEvents("'task_progress'")}
SELECT id FROM changed`,
);

/** Stores how far running attempts are. Reports of lost leases are dropped. */
export async function progress(db: Queryable, reports: Progress[]): Promise<void> {
  await db.query(progressStatement, [
    reports.map((report) => report.tenant_id),
    reports.map((report) => report.id),
    reports.map((report) => report.attempt),
    reports.map((report) => report.lease_token),
    reports.map((report) => report.progress),
    reports.map((report) => report.progress_message),
  ]);
}
