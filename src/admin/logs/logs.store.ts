import { statement, type Database } from '../../database/database.js';
import type { LogLine } from '../../logging/log-line.js';

/** What a reader wants to see; what is undefined does not matter. */
export interface LogFilter {
  /** This severe or more. */
  level?: number | undefined;
  /** In the message or the fields, in any case. */
  text?: string | undefined;
  since?: string | undefined;
  until?: string | undefined;
  request_id?: string | undefined;
  replica_id?: string | undefined;
  task_id?: string | undefined;
}

export interface StoredLine extends Omit<LogLine, 'fields'> {
  /** Grows over the whole cluster, without a gap. */
  id: number;
  replica_id: string;
  fields: Record<string, unknown>;
}

/** Lines after a number, oldest first. */
export interface LinesAfter {
  lines: StoredLine[];
  /** All lines up to this one were looked at. */
  through: number;
  /** The newest line there is. */
  tail: number;
  /** Whether lines are gone that come after the number that was asked for. */
  lost: boolean;
}

/** Numbers that one reading of what is new looks at, and lines that it answers. */
const windowSize = 2_000;
const pageSize = 200;
/** Lines that one storing takes away at most beside as many as it adds. */
const pruneBatch = 2_000;

const addStatement = statement(
  'add_log_lines',
  `WITH position AS (
  UPDATE log_position SET last_id = last_id + cardinality($2::timestamptz[])
  RETURNING last_id, last_id - cardinality($2::timestamptz[]) AS before
), pruned AS (
  DELETE FROM log_lines WHERE id IN (
    SELECT id FROM log_lines WHERE id <= (SELECT last_id FROM position) - $9::bigint ORDER BY id LIMIT cardinality($2::timestamptz[]) + ${pruneBatch}
  )
)
INSERT INTO log_lines (id, at, replica_id, level, msg, request_id, trace_id, task_id, fields)
SELECT position.before + line.number, line.at, $1, line.level, line.msg, line.request_id, line.trace_id, line.task_id, line.fields::jsonb
FROM position, unnest($2::timestamptz[], $3::smallint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])
  WITH ORDINALITY AS line(at, level, msg, request_id, trace_id, task_id, fields, number)`,
);
const pruneStatement = statement<{ deleted: number }>(
  'prune_log_lines',
  `WITH kept AS (
  SELECT id FROM log_lines WHERE at >= now() - make_interval(hours => $1::integer) ORDER BY id LIMIT 1
), pruned AS (
  DELETE FROM log_lines WHERE id IN (
    SELECT id FROM log_lines WHERE id < coalesce((SELECT id FROM kept), (SELECT last_id + 1 FROM log_position)) ORDER BY id LIMIT $2
  ) RETURNING id
)
SELECT count(*) AS deleted FROM pruned`,
);
const tailStatement = statement<{ last_id: number }>('log_tail', 'SELECT last_id FROM log_position');

const columns = ['id', 'at', 'replica_id', 'level', 'msg', 'request_id', 'trace_id', 'task_id', 'fields']
  .map((name) => `l.${name}`)
  .join(', ');

/** Lines of the log of all replicas. */
export class LogsStore {
  constructor(private readonly database: Database) {}

  /** All or none, in one statement; keeps `max` lines at most. */
  async add(replicaId: string, lines: readonly LogLine[], max: number): Promise<void> {
    await this.database.loops.query(addStatement, [
      replicaId,
      lines.map(({ at }) => at),
      lines.map(({ level }) => level),
      lines.map(({ msg }) => msg),
      lines.map(({ request_id }) => request_id),
      lines.map(({ trace_id }) => trace_id),
      lines.map(({ task_id }) => task_id),
      lines.map(({ fields }) => fields),
      max,
    ]);
  }

  /** Newest first, those before `before`; one more than `limit` when there are more. */
  list(filter: LogFilter, before: number | undefined, limit: number): Promise<StoredLine[]> {
    const values: unknown[] = [];
    const bind = (value: unknown) => `$${values.push(value)}`;
    const conditions = conditionsOf(filter, bind);
    if (before !== undefined) conditions.push(`l.id < ${bind(before)}`);
    const where = conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : '';
    return this.database.api.queryText(`SELECT ${columns} FROM log_lines l ${where} ORDER BY l.id DESC LIMIT ${bind(limit + 1)}`, values);
  }

  /** One statement, so that no line can go between the look at what is there and the look at the lines. */
  async after(filter: LogFilter, after: number): Promise<LinesAfter> {
    const values: unknown[] = [after];
    const bind = (value: unknown) => `$${values.push(value)}`;
    const conditions = ['l.id > $1::bigint', `l.id <= $1::bigint + ${windowSize}`, ...conditionsOf(filter, bind)];
    const rows = await this.database.api.queryText<Partial<StoredLine> & { tail: number; first_id: number | null }>(
      `SELECT p.last_id AS tail, (SELECT min(id) FROM log_lines) AS first_id, lines.* FROM log_position p
       LEFT JOIN LATERAL (SELECT ${columns} FROM log_lines l WHERE ${conditions.join(' AND ')} ORDER BY l.id LIMIT ${pageSize}) lines ON true
       ORDER BY lines.id`,
      values,
    );
    const { tail, first_id } = rows[0]!;
    const lines = rows.filter(({ id }) => typeof id === 'number').map(({ tail: _tail, first_id: _first, ...line }) => line as StoredLine);
    const through = lines.length === pageSize ? lines.at(-1)!.id : Math.min(after + windowSize, tail);
    return { lines, through, tail, lost: after > tail || (after < tail && after + 1 < (first_id ?? tail + 1)) };
  }

  async tail(): Promise<number> {
    return (await this.database.api.query(tailStatement))[0]!.last_id;
  }

  /** Lines older than that, one batch of them; answers how many have left. */
  async prune(hours: number, limit: number): Promise<number> {
    return (await this.database.loops.query(pruneStatement, [hours, limit]))[0]!.deleted;
  }
}

function conditionsOf(filter: LogFilter, bind: (value: unknown) => string): string[] {
  const conditions: string[] = [];
  if (filter.level !== undefined) conditions.push(`l.level >= ${bind(filter.level)}`);
  if (filter.since !== undefined) conditions.push(`l.at >= ${bind(filter.since)}`);
  if (filter.until !== undefined) conditions.push(`l.at < ${bind(filter.until)}`);
  for (const name of ['request_id', 'replica_id', 'task_id'] as const)
    if (filter[name] !== undefined) conditions.push(`l.${name} = ${bind(filter[name])}`);
  if (filter.text !== undefined) conditions.push(`position(lower(${bind(filter.text)}) in lower(l.msg || ' ' || l.fields::text)) > 0`);
  return conditions;
}
