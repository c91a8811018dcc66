import { statement, type Queryable } from '../database/database.js';
import { taskEventColumns, type LogEvent, type TaskEventData } from './events.js';

type EventRow = Omit<LogEvent, 'data'> & { [Column in keyof Required<TaskEventData>]: TaskEventData[Column] | null };

const dataColumns = [...taskEventColumns, 'log'] as const;
const columns = `seq, tenant_id, task_id, action, at, ${dataColumns.join(', ')}`;

const readStatement = statement<EventRow>(
  'read_events',
  `SELECT ${columns} FROM events WHERE seq > $1 AND seq <= $2 ORDER BY seq LIMIT $3`,
);

const readTaskStatement = statement<EventRow>(
  'read_task_events',
  `SELECT ${columns} FROM events WHERE tenant_id = $1 AND task_id = $2 AND seq > $3 AND seq <= $4 ORDER BY seq LIMIT $5`,
);

const countStatement = statement<{ count: number; last: number | null }>(
  'count_events',
  `SELECT count(*) AS count, max(seq) AS last FROM (SELECT seq FROM events WHERE seq > $1 ORDER BY seq LIMIT $2) next`,
);

const boundsStatement = statement<{ last: number; pruned_through: number }>(
  'event_bounds',
  `SELECT coalesce(max(seq), 0) AS last, (SELECT pruned_through FROM event_log_state) AS pruned_through FROM events`,
);

/** Transactions that have written events and not ended. Whoever took a number from the sequence is among them. */
const writersStatement = statement<{ writer: string }>(
  'event_writers',
  `SELECT virtualtransaction AS writer FROM pg_locks
   WHERE locktype = 'relation' AND relation = 'events'::regclass AND mode = 'RowExclusiveLock'
     AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
);

/** The first `limit` events after `since` up to `through`, as far as they are visible. */
export async function readEvents(db: Queryable, since: number, through: number, limit: number): Promise<LogEvent[]> {
  return (await db.query(readStatement, [since, through, limit])).map(toEvent);
}

/** The same of one task. */
export async function readTaskEvents(
  db: Queryable,
  task: { tenant_id: string; id: string },
  since: number,
  through: number,
  limit: number,
): Promise<LogEvent[]> {
  return (await db.query(readTaskStatement, [task.tenant_id, task.id, since, through, limit])).map(toEvent);
}

/** How many there are after `since`, up to `limit`, and the number of the last of them. */
export async function countEvents(db: Queryable, since: number, limit: number): Promise<{ count: number; last: number }> {
  const [row] = await db.query(countStatement, [since, limit]);
  return { count: row!.count, last: row!.last ?? since };
}

/** The largest number of all, and the largest of those that were pruned. */
export async function eventBounds(db: Queryable): Promise<{ last: number; pruned_through: number }> {
  return (await db.query(boundsStatement))[0]!;
}

export async function eventWriters(db: Queryable): Promise<Set<string>> {
  const rows = await db.query(writersStatement);
  return new Set(rows.map((row) => row.writer));
}

function toEvent(row: EventRow): LogEvent {
  const { seq, tenant_id, task_id, action, at } = row;
  const data: Record<string, unknown> = {};
  for (const column of dataColumns) if (row[column] !== null) data[column] = row[column];
  return { seq, tenant_id, task_id, action, at, data };
}
