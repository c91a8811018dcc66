import { statement, type Queryable } from '../../database/database.js';
import type { ClaimedTask } from '../task-row.js';
import { recordEvents, touched } from './sql.js';

export interface Claim {
  /** Who will run the tasks: the n-th of them the n-th task, round and round. */
  worker_ids: string[];
  /** Types they have handlers for. */
  types: string[];
  /** Of these queues alone; none means all. */
  queues?: string[];
  /** Of this tenant alone; none means all. */
  tenant_id?: string;
  /** At most this many: the number of free slots. */
  limit: number;
  lease_seconds: number;
}

/** The CTE `name` of claimed rows; its six parameters begin at `first`, in the order of `claimInput`. */
export function claimNext(name: string, first: number): string {
  const [types, limit, workerIds, leaseSeconds, queues, tenant] = [0, 1, 2, 3, 4, 5].map((offset) => `$${first + offset}`);
  return `next AS MATERIALIZED (
  SELECT c.tenant_id, c.id FROM unnest(${types}::text[]) AS wanted(type), LATERAL (
    SELECT tenant_id, id, priority FROM tasks
    -- No queued task has a lease; the claim index says so too, which keeps lists from using it.
    WHERE status = 'queued' AND lease_token IS NULL AND type = wanted.type
      AND (cardinality(${queues}::text[]) = 0 OR queue = ANY(${queues}::text[])) AND (${tenant}::text IS NULL OR tenant_id = ${tenant}::text)
    ORDER BY priority DESC, id
    LIMIT ${limit}
    FOR UPDATE SKIP LOCKED
  ) c
  ORDER BY c.priority DESC, c.id
  LIMIT ${limit}
), placed AS (
  SELECT tenant_id, id, row_number() OVER () - 1 AS place FROM next
), ${name} AS (
  UPDATE tasks t
  SET status = 'running', attempt = t.attempt + 1,
      worker_id = (${workerIds}::text[])[1 + placed.place % cardinality(${workerIds}::text[])], lease_token = gen_random_uuid(),
      lease_expires_at = now() + make_interval(secs => ${leaseSeconds}), started_at = now(),
      progress = 0, progress_message = NULL, ${touched}
  FROM placed
  WHERE t.tenant_id = placed.tenant_id AND t.id = placed.id
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
  'checkpoint',
  'traceparent',
  'tracestate',
]
  .map((column) => `c.${column}`)
  .join(', ');

export function claimInput({ types, limit, worker_ids, lease_seconds, queues = [], tenant_id }: Claim): unknown[] {
  return [types, limit, worker_ids, lease_seconds, queues, tenant_id];
}

export const claimStatement = statement<ClaimedTask>(
  'claim',
  `WITH ${claimNext('changed', 1)}, ${recordEvents("'task_started'", "'queued'")}
SELECT ${claimedColumns} FROM changed c ORDER BY c.priority DESC, c.id`,
);

/** queued ──► running: the most urgent tasks, oldest first; no task is ever given to two claimers. */
export function claim(db: Queryable, request: Claim): Promise<ClaimedTask[]> {
  return db.query(claimStatement, claimInput(request));
}
