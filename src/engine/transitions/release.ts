import { statement, type Queryable } from '../../database/database.js';
import type { Lease } from '../task-row.js';
import { settledInOrder, type Settled } from './complete.js';
import { actionOfStatus, archiveAttempts, recordEvents, touched, withoutAttempt } from './sql.js';

const releaseStatement = statement<{ id: string; status: Settled }>(
  'release',
  `WITH input AS (
  SELECT * FROM unnest($1::text[], $2::uuid[], $3::int[], $4::uuid[]) AS i(tenant_id, id, attempt, lease_token)
), locked AS MATERIALIZED (
  SELECT t.* FROM tasks t JOIN input i ON t.tenant_id = i.tenant_id AND t.id = i.id
  WHERE t.attempt = i.attempt AND t.lease_token = i.lease_token AND t.status = 'running'
  ORDER BY t.id
  FOR UPDATE OF t
), changed AS (
  UPDATE tasks t
  SET status = 'queued', queued_at = now(), uncounted_attempts = t.uncounted_attempts + 1, ${withoutAttempt}, ${touched}
  FROM locked WHERE t.tenant_id = locked.tenant_id AND t.id = locked.id
  RETURNING t.*
), ${archiveAttempts("'released'", 'NULL')},
${recordEvents(actionOfStatus, "'running'")}
SELECT id, status FROM changed`,
);

/** running ──► queued: a worker that shuts down hands its unfinished attempts back; they do not count. Fenced. */
export async function release(db: Queryable, leases: Lease[]): Promise<Settled[]> {
  const rows = await db.query(releaseStatement, [
    leases.map((lease) => lease.tenant_id),
    leases.map((lease) => lease.id),
    leases.map((lease) => lease.attempt),
    leases.map((lease) => lease.lease_token),
  ]);
  return settledInOrder(leases, rows);
}
