import { firstIdAt } from '../engine/task-id.js';
import type { ListTasksDto } from './task-filters.dto.js';
import { labelsIn } from '../input/query.js';
import { taskColumns } from './task-view.js';

/** Alternatives that are asked for one by one; beyond it a filter's values become one OR. */
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
  const direction = descending ? 'DESC' : 'ASC';
  const order = `ORDER BY id ${direction}`;

  const filtered = filters.type ?? filters.queue ?? filters.name ?? filters.priority ?? filters.label;
  const source = filtered ? 'tasks t JOIN task_filters f ON f.tenant_id = t.tenant_id AND f.id = t.id' : 'tasks t';
  // A range of ids is said of both, as the planner takes over equalities alone from one table to the other.
  const range = (comparison: string) => (filtered ? [`t.id ${comparison}`, `f.id ${comparison}`] : [`t.id ${comparison}`]);

  const common = [`t.tenant_id = ${bind(tenantId)}`];
  if (filters.created_after) common.push(...range(`>= ${bind(firstIdAt(Date.parse(filters.created_after)))}::uuid`));
  if (filters.created_before) common.push(...range(`< ${bind(firstIdAt(Date.parse(filters.created_before)))}::uuid`));
  if (filters.cursor) common.push(...range(`${descending ? '<' : '>'} ${bind(filters.cursor)}::uuid`));
  if (filters.label) common.push(...labelConditions(filters.label, bind));

  const limit = bind(filters.limit + 1);
  const columns = taskColumns.map((column) => `t.${column}`).join(', ');
  const arms = expand([
    [filters.status, (value) => (bound) => `t.status = ${bound(value)}::task_status`],
    [filters.priority, (value) => (bound) => `f.priority = ${bound(value)}::task_priority`],
    [filters.type, (value) => (bound) => `f.type = ${bound(value)}`],
    [filters.queue, (value) => (bound) => `f.queue = ${bound(value)}`],
    [filters.name, (value) => (bound) => `f.name = ${bound(value)}`],
  ]).map((conditions) => {
    const where = [...common, ...conditions.map((condition) => condition(bind))].join(' AND ');
    return `(SELECT ${columns} FROM ${source} WHERE ${where} ORDER BY t.id ${direction} LIMIT ${limit})`;
  });
  const bytes = `sum(octet_length(parameters::text) + coalesce(octet_length(result::text), 0)) OVER (${order})`;
  // A single arm is in order already, and PostgreSQL refuses to be told twice.
  const page = arms.length === 1 ? arms[0]! : `${arms.join('\nUNION ALL\n')} ${order} LIMIT ${limit}`;
  const text = `WITH page AS (${page}),
measured AS (SELECT *, ${bytes} AS bytes, row_number() OVER (${order}) AS position, count(*) OVER () AS found FROM page)
SELECT ${taskColumns.join(', ')}, found FROM measured WHERE position = 1 OR bytes <= ${maxPageBytes} ${order}`;
  return { text, values };
}

/** All labels that must hold are asked for in one: of two that never come together the planner would expect some. */
function labelConditions(groups: string[], bind: (value: unknown) => string): string[] {
  const has = (labels: object) => `f.labels @> ${bind(JSON.stringify(labels))}::jsonb`;
  const given = groups.map(labelsIn);
  const required = given.filter((alternatives) => alternatives.length === 1).map(([label]) => label!);
  const choices = given.filter((alternatives) => alternatives.length !== 1);
  const contradict = required.some(([key, value]) => required.some(([other, wanted]) => key === other && value !== wanted));
  return [
    // The partial index holds labelled tasks alone, and the planner cannot see that a match is one.
    `f.labels <> '{}'`,
    ...(contradict ? ['false'] : []),
    ...(required.length ? [has(Object.fromEntries(required))] : []),
    ...choices.map((alternatives) => `(${alternatives.map(([key, value]) => has({ [key]: value })).join(' OR ')})`),
  ];
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
