import { statement, type Queryable } from '../../database/database.js';
import type { ClaimedTask } from '../task-row.js';
import { recordEvents, touched } from './sql.js';

export interface Claim {
  /** Who will run the tasks. */
  worker_id: string;
  /** Types this worker has handlers for. */
  types: string[];
  /** At most this many: the number of free slots. */
  limit: number;
  lease_seconds: number;
}

/** The CTE `name` of claimed rows; its four parameters begin at `first`, in the order of `claimInput`. */
export function claimNext(name: string, first: number): string {
  const [types, limit, workerId, leaseSeconds] = [0, 1, 2, 3].map((offset) => `$${first + offset}`);
  return `next AS MATERIALIZED (
  SELECT tenant_id, id FROM tasks
  -- No queued task has a lease; the claim index says so too, which keeps lists from using it.
  WHERE status = 'queued' AND lease_token IS NULL AND type = ANY(${types}::text[])
  ORDER BY priority DESC, id
  LIMIT ${limit}
  FOR UPDATE SKIP LOCKED
), ${name} AS (
  UPDATE tasks t
  SET status = 'running', attempt = t.attempt + 1, worker_id = ${workerId}, lease_token = gen_random_uuid(),
      lease_expires_at = now() + make_interval(secs => ${leaseSeconds}), started_at = now(),
      progress = 0, progress_message = NULL, ${touched}
  FROM next
  WHERE t.tenant_id = next.tenant_id AND t.id = next.id
  RETURNING t.*
)`;
}

/** Columns of a `ClaimedTask`; source: alias `c`. */
export const claimedColumns = [
  'tenant_id',
  'id',
  'attempt',
  'lease_token',
  'name',
  'type',
  'queue',
  'priority',
  'labels',
  'parameters',
  'max_attempts',
  'timeout_seconds',
  'worker_id',
]
  .map((column) => `c.${column}`)
  .join(', ');

export function claimInput({ types, limit, worker_id, lease_seconds }: Claim): unknown[] {
  return [types, limit, worker_id, lease_seconds];
}

export const claimStatement = statement<ClaimedTask>(
  'claim',
  `WITH ${claimNext('changed', 1)}, ${recordEvents("'task_started'")}
SELECT ${claimedColumns} FROM changed c ORDER BY c.priority DESC, c.id`,
);

/** queued ──► running: the most urgent tasks, oldest first; no task is ever given to two claimers. */
export function claim(db: Queryable, request: Claim): Promise<ClaimedTask[]> {
  return db.query(claimStatement, claimInput(request));
}
