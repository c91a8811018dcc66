import { statement, type Queryable } from '../../database/database.js';
import type { Lease } from '../task-row.js';

const deliverCancelStatement = statement(
  'deliver_cancel',
  `WITH input AS (
  SELECT * FROM unnest($1::text[], $2::uuid[], $3::int[], $4::uuid[]) AS i(tenant_id, id, attempt, lease_token)
), locked AS MATERIALIZED (
  SELECT t.tenant_id, t.id FROM tasks t JOIN input i ON t.tenant_id = i.tenant_id AND t.id = i.id
  WHERE t.attempt = i.attempt AND t.lease_token = i.lease_token AND t.status = 'cancelling' AND t.cancel_state = 'requested'
  ORDER BY t.id
  FOR UPDATE OF t
)
UPDATE tasks t SET cancel_state = 'delivered' FROM locked WHERE t.tenant_id = locked.tenant_id AND t.id = locked.id`,
);

/** The workers of these attempts know that they are to stop. Not a transition: version and event log do not move. */
export async function deliverCancel(db: Queryable, leases: Lease[]): Promise<void> {
  await db.query(deliverCancelStatement, [
    leases.map((lease) => lease.tenant_id),
    leases.map((lease) => lease.id),
    leases.map((lease) => lease.attempt),
    leases.map((lease) => lease.lease_token),
  ]);
}
