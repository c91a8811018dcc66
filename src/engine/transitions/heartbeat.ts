import { statement, type Queryable } from '../../database/database.js';
import type { Lease } from '../task-row.js';

const heartbeatStatement = statement<{ id: string; cancelling: boolean }>(
  'heartbeat',
  `WITH input AS (
  SELECT * FROM unnest($1::text[], $2::uuid[], $3::int[], $4::uuid[]) AS i(tenant_id, id, attempt, lease_token)
), locked AS MATERIALIZED (
  SELECT t.tenant_id, t.id FROM tasks t JOIN input i ON t.tenant_id = i.tenant_id AND t.id = i.id
  WHERE t.attempt = i.attempt AND t.lease_token = i.lease_token
  ORDER BY t.id
  FOR UPDATE OF t
)
UPDATE tasks t SET lease_expires_at = now() + make_interval(secs => $5)
FROM locked WHERE t.tenant_id = locked.tenant_id AND t.id = locked.id
RETURNING t.id, t.status = 'cancelling' AS cancelling`,
);

/** What became of one renewed lease: still held, held but the task is to stop, or gone. */
export type LeaseState = 'held' | 'cancelling' | 'lost';

/** Renews leases in bulk. Answers the state of each, in order. Not a transition: version and event log do not move. */
export async function heartbeat(db: Queryable, leases: Lease[], leaseSeconds: number): Promise<LeaseState[]> {
  const rows = await db.query(heartbeatStatement, [
    leases.map((lease) => lease.tenant_id),
    leases.map((lease) => lease.id),
    leases.map((lease) => lease.attempt),
    leases.map((lease) => lease.lease_token),
    leaseSeconds,
  ]);
  const held = new Map(rows.map((row) => [row.id, row.cancelling]));
  return leases.map(({ id }) => (held.has(id) ? (held.get(id) ? 'cancelling' : 'held') : 'lost'));
}
