import { statement, type Queryable } from '../../database/database.js';
import type { Json, Lease } from '../task-row.js';
import { actionOfStatus, endedFrom, recordEvents, touched, unleased } from './sql.js';

export interface Completion extends Lease {
  result: Json | undefined;
}

/** Where a settled attempt left its task; `lost` when the lease was no longer the caller's and nothing changed. */
export type Settled = 'completed' | 'failed' | 'cancelled' | 'queued' | 'scheduled' | 'lost';

/** The CTE `name` of completed rows; parameters 1 to 5, in the order of `completeInput`. */
export function completeRows(name: string): string {
  return `input AS (
  SELECT * FROM unnest($1::text[], $2::uuid[], $3::int[], $4::uuid[], $5::jsonb[]) AS i(tenant_id, id, attempt, lease_token, result)
), ${name} AS (
  -- A task that is being cancelled ends cancelled, even when its attempt got to the end first.
  UPDATE tasks t
  SET status = CASE t.status WHEN 'cancelling' THEN 'cancelled' ELSE 'completed' END::task_status,
      result = CASE t.status WHEN 'cancelling' THEN NULL ELSE i.result END,
      progress = CASE t.status WHEN 'cancelling' THEN t.progress ELSE 100 END,
      cancel_state = CASE t.status WHEN 'cancelling' THEN 'stopped' ELSE t.cancel_state END,
      error = NULL, finished_at = now(), ${unleased}, ${touched}
  FROM input i WHERE t.tenant_id = i.tenant_id AND t.id = i.id AND t.attempt = i.attempt AND t.lease_token = i.lease_token
  RETURNING t.*
)`;
}

/** In the order of ids, in which the rows are locked then: two that lock the same rows in another order wait for each other. */
export function completeInput(given: Completion[]): unknown[] {
  const completions = given.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  return [
    completions.map((completion) => completion.tenant_id),
    completions.map((completion) => completion.id),
    completions.map((completion) => completion.attempt),
    completions.map((completion) => completion.lease_token),
    completions.map(({ result }) => (result === undefined ? null : JSON.stringify(result))),
  ];
}

const completeStatement = statement<{ id: string; status: Settled }>(
  'complete',
  `WITH ${completeRows('changed')}, ${recordEvents(actionOfStatus, endedFrom)}
SELECT id, status FROM changed`,
);

/** running ──► completed, cancelling ──► cancelled. Fenced: answers what became of each, in order. */
export async function complete(db: Queryable, completions: Completion[]): Promise<Settled[]> {
  return settledInOrder(completions, await db.query(completeStatement, completeInput(completions)));
}

export function settledInOrder(leases: Lease[], rows: { id: string; status: Settled }[]): Settled[] {
  const byId = new Map(rows.map((row) => [row.id, row.status]));
  return leases.map(({ id }) => byId.get(id) ?? 'lost');
}
