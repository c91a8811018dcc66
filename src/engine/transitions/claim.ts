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

export const claimStatement = statement<ClaimedTask>(
  'claim',
  `WITH next AS MATERIALIZED (
  SELECT tenant_id, id FROM tasks
  WHERE status = 'queued' AND type = ANY($1::text[])
  ORDER BY priority DESC, id
  LIMIT $2
  FOR UPDATE SKIP LOCKED
), changed AS (
  UPDATE tasks t
  SET status = 'running', attempt = t.attempt + 1, worker_id = $3, lease_token = gen_random_uuid(),
      lease_expires_at = now() + make_interval(secs => $4), started_at = now(),
      progress = 0, progress_message = NULL, ${touched}
  FROM next
  WHERE t.tenant_id = next.tenant_id AND t.id = next.id
  RETURNING t.*
), ${recordEvents("'task_started'")}
SELECT * FROM changed ORDER BY priority DESC, id`,
);

/** queued ──► running: the most urgent tasks, oldest first; no task is ever given to two claimers. */
export function claim(db: Queryable, { types, limit, worker_id, lease_seconds }: Claim): Promise<ClaimedTask[]> {
  return db.query(claimStatement, [types, limit, worker_id, lease_seconds]);
}
