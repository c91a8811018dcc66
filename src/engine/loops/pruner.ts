import { statement, type Database } from '../../database/database.js';
import type { Duty } from './loop.js';
import { pruneTasks } from './prune-tasks.js';

const batch = 5_000;
/** Fewer, as each takes its attempts, its logs and its filters along. */
const taskBatch = 500;

const pruneEventsStatement = statement<{ pruned: number }>(
  'prune_events',
  `WITH old AS (
  -- Only the head of the log: a young row ends the batch, so that what is left has no holes.
  SELECT seq FROM (SELECT seq, at FROM events ORDER BY seq LIMIT $2) head WHERE at < now() - make_interval(days => $1)
), gone AS (
  DELETE FROM events WHERE seq IN (SELECT seq FROM old) RETURNING seq
), noted AS (
  UPDATE event_log_state SET pruned_through = greatest(pruned_through, (SELECT max(seq) FROM gone)) WHERE EXISTS (SELECT FROM gone)
)
SELECT count(*) AS pruned FROM gone`,
);

const pruneKeysStatement = statement<{ pruned: number }>(
  'prune_idempotency_keys',
  `WITH old AS (
  SELECT tenant_id, key FROM idempotency_keys WHERE created_at < now() - make_interval(hours => $1) ORDER BY created_at LIMIT $2
), gone AS (
  DELETE FROM idempotency_keys k USING old WHERE k.tenant_id = old.tenant_id AND k.key = old.key RETURNING k.key
)
SELECT count(*) AS pruned FROM gone`,
);

export interface Retention {
  /** Days after its end that a task is kept; 0 keeps it for ever. */
  taskDays: number;
  eventDays: number;
  idempotencyHours: number;
}

/** Lets old tasks, events and idempotency keys go, oldest first, in bounded batches. */
export function pruner(database: Database, retention: () => Retention): Duty {
  return {
    name: 'pruner',
    intervalMs: 60_000,
    run: async () => (await prune(database, retention())).more,
  };
}

/** One batch of each. Answers how many went, and whether there may be more. */
export async function prune(
  database: Database,
  { taskDays, eventDays, idempotencyHours }: Retention,
): Promise<{ tasks: number; events: number; keys: number; more: boolean }> {
  const tasks = taskDays ? await pruneTasks(database.loops, taskDays, taskBatch) : 0;
  const [{ pruned: events } = { pruned: 0 }] = await database.loops.query(pruneEventsStatement, [eventDays, batch]);
  const [{ pruned: keys } = { pruned: 0 }] = await database.loops.query(pruneKeysStatement, [idempotencyHours, batch]);
  return { tasks, events, keys, more: tasks === taskBatch || events === batch || keys === batch };
}
