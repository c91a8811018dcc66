import { firstIdAt } from '../engine/task-id.js';
import type { ListTasksDto } from './task-filters.dto.js';
import { labelsIn } from './task-filters.dto.js';
import { taskColumns } from './task-view.js';

/** Alternatives that are asked for one by one; beyond it the rest is left to `= ANY`. */
const maxArms = 40;
/** A page ends early when the free JSON of its tasks passes this many bytes. */
const maxPageBytes = 4 * 1024 * 1024;

type Condition = (bind: (value: unknown) => string) => string;

/**
 * One page of tasks as SQL. Alternatives (`status=queued,running`) become arms of a UNION, each an ordered walk of one
 * index that ends after a page, where `IN` would have to read and sort every match.
 */
export function listQuery(tenantId: string, filters: ListTasksDto): { text: string; values: unknown[] } {
  const values: unknown[] = [];
  const bind = (value: unknown) => `$${values.push(value)}`;
  const descending = filters.order === 'desc';
  const order = `ORDER BY id ${descending ? 'DESC' : 'ASC'}`;

  const common = [`tenant_id = ${bind(tenantId)}`];
  if (filters.created_after) common.push(`id >= ${bind(firstIdAt(Date.parse(filters.created_after)))}::uuid`);
  if (filters.created_before) common.push(`id < ${bind(firstIdAt(Date.parse(filters.created_before)))}::uuid`);
  if (filters.cursor) common.push(`id ${descending ? '<' : '>'} ${bind(filters.cursor)}::uuid`);
  // The partial index holds labelled tasks alone, and the planner cannot see that a match is one.
  if (filters.label) {
    const has = ([key, value]: [string, string]) => `labels @> ${bind(JSON.stringify({ [key]: value }))}::jsonb`;
    common.push(`labels <> '{}'`, ...filters.label.map((group) => `(${labelsIn(group).map(has).join(' OR ')})`));
  }

  const limit = bind(filters.limit + 1);
  const arms = expand([
    [filters.status, (value) => (bound) => `status = ${bound(value)}::task_status`],
    [filters.priority, (value) => (bound) => `priority = ${bound(value)}::task_priority`],
    [filters.type, (value) => (bound) => `type = ${bound(value)}`],
    [filters.queue, (value) => (bound) => `queue = ${bound(value)}`],
    [filters.name, (value) => (bound) => `name = ${bound(value)}`],
  ]).map((conditions) => {
    const where = [...common, ...conditions.map((condition) => condition(bind))].join(' AND ');
    return `(SELECT ${taskColumns.join(', ')} FROM tasks WHERE ${where} ${order} LIMIT ${limit})`;
  });
  const bytes = `sum(octet_length(parameters::text) + coalesce(octet_length(result::text), 0)) OVER (${order})`;
  // A single arm is in order already, and PostgreSQL refuses to be told twice.
  const page = arms.length === 1 ? arms[0]! : `${arms.join('\nUNION ALL\n')} ${order} LIMIT ${limit}`;
  const text = `WITH page AS (${page}),
measured AS (SELECT *, ${bytes} AS bytes, row_number() OVER (${order}) AS position, count(*) OVER () AS found FROM page)
SELECT ${taskColumns.join(', ')}, found FROM measured WHERE position = 1 OR bytes <= ${maxPageBytes} ${order}`;
  return { text, values };
}

type Alternatives = [values: readonly string[] | undefined, condition: (value: string) => Condition];

/** Every combination of the alternatives, as conditions that must all hold. */
function expand(filters: Alternatives[]): Condition[][] {
  let arms: Condition[][] = [[]];
  for (const [given, condition] of filters) {
    if (!given) continue;
    const values = [...new Set(given)];
    const choices: Condition[] =
      arms.length * values.length <= maxArms
        ? values.map(condition)
        : [(bind) => `(${values.map((value) => condition(value)(bind)).join(' OR ')})`];
    arms = arms.flatMap((arm) => choices.map((choice) => [...arm, choice]));
  }
  return arms;
}
