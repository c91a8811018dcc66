import { statement, type Database, type Queryable } from '../../database/database.js';
import type { EventLog } from '../../events/event-log.js';
import { taskStatuses } from '../../tasks/task.js';
import { countChanges, type CountChange, type EventGroup } from './count-changes.js';
import { durationBounds } from './duration-buckets.js';

/** Events that one transaction counts. */
const batch = 20_000;

const lockStatement = statement<{ counted_through: number }>('lock_counts', 'SELECT counted_through FROM metrics_state FOR UPDATE');

const batchEndStatement = statement<{ events: number; last: number | null }>(
  'count_batch_end',
  'SELECT count(*) AS events, max(seq) AS last FROM (SELECT seq FROM events WHERE seq > $1 AND seq <= $2 ORDER BY seq LIMIT $3) next',
);

const bounds = durationBounds.join(',');
const seconds = `CASE action WHEN 'task_started' THEN extract(epoch FROM started_at - queued_at)
                   WHEN 'task_completed' THEN extract(epoch FROM finished_at - started_at)
                   WHEN 'task_failed' THEN extract(epoch FROM finished_at - started_at) END::float8`;

const groupsStatement = statement<EventGroup>(
  'count_events_by_group',
  `SELECT tenant_id, queue, type, action, from_status, status, width_bucket(seconds, '{${bounds}}'::float8[]) AS bucket,
       count(*) AS events, coalesce(sum(seconds), 0) AS seconds
FROM (
  SELECT tenant_id, queue, type, action, from_status, status, ${seconds} AS seconds
  FROM events WHERE seq > $1 AND seq <= $2 AND action NOT IN ('task_progress', 'task_log') AND queue IS NOT NULL
) counted
GROUP BY tenant_id, queue, type, action, from_status, status, bucket`,
);

const takeChangesStatement = statement<CountChange>(
  'take_count_changes',
  'DELETE FROM task_count_changes RETURNING tenant_id, queue, type, name, change',
);

/** In the order of the key: another who changes the same rows waits, and never waits for us. */
const addStatement = statement(
  'add_counts',
  `INSERT INTO task_counts AS c (tenant_id, queue, type, name, value)
SELECT tenant_id, queue, type, name, sum(change)
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::float8[]) AS i(tenant_id, queue, type, name, change)
GROUP BY tenant_id, queue, type, name ORDER BY tenant_id, queue, type, name
ON CONFLICT (tenant_id, queue, type, name) DO UPDATE SET value = c.value + excluded.value`,
);

const throughStatement = statement('counted_through', 'UPDATE metrics_state SET counted_through = $1');

/** Rows that may be counted now and then; a second's work at most. */
const countable = 500_000;
const endOfLog = Number.MAX_SAFE_INTEGER;

const sizeStatement = statement<{ tasks: number }>(
  'task_table_size',
  "SELECT greatest(reltuples, 0)::bigint AS tasks FROM pg_class WHERE oid = 'tasks'::regclass",
);
const stateStatement = statement<{ counted_through: number }>('counts_state', 'SELECT counted_through FROM metrics_state');
const peekChangesStatement = statement<CountChange>(
  'peek_count_changes',
  'SELECT tenant_id, queue, type, name, change FROM task_count_changes',
);
const actualStatement = statement<TaskCount>(
  'count_tasks',
  'SELECT tenant_id, queue, type, status::text AS name, count(*)::float8 AS value FROM tasks GROUP BY tenant_id, queue, type, status',
);
const changeStatement = statement(
  'add_count_changes',
  `INSERT INTO task_count_changes (tenant_id, queue, type, name, change)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::float8[])`,
);

const readStatement = statement<TaskCount>('read_counts', 'SELECT tenant_id, queue, type, name, value FROM task_counts');

/** One number of a queue and type: of a status how many tasks are in it, or a total. */
export interface TaskCount {
  tenant_id: string;
  queue: string;
  type: string;
  name: string;
  value: number;
}

/**
 * How many tasks there are, by queue, type and status, and what has happened to them: kept from the event log, so that nobody ever
 * counts the table. Exact: each event is counted once, in the transaction that notes how far the log has been counted.
 */
export class TaskCounts {
  private folding: Promise<number> | undefined;

  constructor(
    private readonly database: Database,
    private readonly eventLog: EventLog,
  ) {}

  /** Counts what has been committed until now. Answers how many events that were. */
  async fold(): Promise<number> {
    await this.eventLog.catchUp();
    // Whoever asks while somebody counts may have seen more than he does: it is counted once more.
    await this.folding;
    this.folding ??= this.foldAll(this.eventLog.tail).finally(() => (this.folding = undefined));
    return this.folding;
  }

  read(): Promise<TaskCount[]> {
    return this.database.loops.query(readStatement);
  }

  /**
   * Compares the counts with the table and corrects them; answers how many numbers were wrong. None is, unless a version that does not
   * write `from_status` has run here, or somebody has changed tasks by hand. Tables that are too large to be counted are left alone.
   */
  reconcile(): Promise<number> {
    return this.database.loops.transaction(async (transaction) => {
      await transaction.queryText('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ');
      const [size] = await transaction.query(sizeStatement);
      if (size!.tasks > countable) return 0;
      const differences = await differencesOf(transaction);
      if (differences.length) await transaction.query(changeStatement, columnsOf(differences));
      return differences.length;
    });
  }

  private async foldAll(through: number): Promise<number> {
    let counted = 0;
    for (;;) {
      const events = await this.database.loops.transaction((transaction) => foldBatch(transaction, through));
      counted += events;
      if (events < batch) return counted;
    }
  }
}

async function foldBatch(db: Queryable, through: number): Promise<number> {
  const [{ counted_through: since } = { counted_through: through }] = await db.query(lockStatement);
  const [end] = await db.query(batchEndStatement, [since, through, batch]);
  const last = end!.events < batch ? Math.max(since, through) : end!.last!;
  const groups = end!.events ? await db.query(groupsStatement, [since, last]) : [];
  const changes = [...countChanges(groups), ...(await db.query(takeChangesStatement))];
  if (changes.length) {
    await db.query(addStatement, columnsOf(changes));
  }
  if (last > since) await db.query(throughStatement, [last]);
  return end!.events;
}

/** What is missing in the counts, all of it as of one moment: the table, less what has been counted, less what is about to be. */
async function differencesOf(db: Queryable): Promise<CountChange[]> {
  const [state] = await db.query(stateStatement);
  const counted = await db.query(readStatement);
  const pending = [
    ...countChanges(await db.query(groupsStatement, [state!.counted_through, endOfLog])),
    ...(await db.query(peekChangesStatement)),
  ];
  const differences = new Map<string, CountChange>();
  const add = ({ tenant_id, queue, type, name }: Omit<CountChange, 'change'>, change: number) => {
    if (!(taskStatuses as readonly string[]).includes(name)) return;
    const key = JSON.stringify([tenant_id, queue, type, name]);
    differences.set(key, { tenant_id, queue, type, name, change: (differences.get(key)?.change ?? 0) + change });
  };
  for (const row of await db.query(actualStatement)) add(row, row.value);
  for (const row of counted) add(row, -row.value);
  for (const row of pending) add(row, -row.change);
  return [...differences.values()].filter(({ change }) => change !== 0);
}

function columnsOf(changes: CountChange[]): unknown[] {
  return [
    changes.map((change) => change.tenant_id),
    changes.map((change) => change.queue),
    changes.map((change) => change.type),
    changes.map((change) => change.name),
    changes.map((change) => change.change),
  ];
}
