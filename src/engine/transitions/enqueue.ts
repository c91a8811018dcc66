import { statement, type Queryable } from '../../database/database.js';
import { taskEventColumns } from '../../events/events.js';
import { taskPriorities } from '../../tasks/task.js';
import { timeOfId } from '../task-id.js';
import type { ClaimedTask, NewTask, TaskRow } from '../task-row.js';
import type { Claim } from './claim.js';

/** What the database alone decides of a new row; the rest is as it was given. `lease_token`: of those that were claimed at once. */
type Placed = Pick<TaskRow, 'id' | 'status' | 'queued_at' | 'updated_at' | 'lease_token'>;

/** Of a task that is claimed in the statement that inserts it, `task_created` tells what it was before. */
const asCreated: Partial<Record<(typeof taskEventColumns)[number], string>> = {
  status: "CASE t.status WHEN 'running' THEN 'queued' ELSE t.status END",
  attempt: '0',
  worker_id: 'NULL',
  started_at: 'NULL',
  version: '1',
};

const enqueueStatement = statement<Placed>(
  'enqueue',
  `WITH input AS (
  SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::task_priority[], $7::jsonb[], $8::jsonb[],
                       $9::int[], $10::int[], $11::jsonb[], $12::timestamptz[], $13::boolean[], $14::text[], $15::timestamptz[], $16::boolean[],
                       $19::text[], $20::text[])
    AS i(tenant_id, id, name, type, queue, priority, parameters, labels,
         max_attempts, timeout_seconds, backoff, run_at, auto, created_by, created_at, claimed, traceparent, tracestate)
), placed AS (
  SELECT i.*, CASE WHEN i.claimed THEN 'running' WHEN i.run_at > now() THEN 'scheduled'
                   WHEN i.auto OR i.run_at IS NOT NULL THEN 'queued' ELSE 'pending' END::task_status AS status
  FROM input i
), inserted AS (
  INSERT INTO tasks (tenant_id, id, name, type, queue, priority, status, parameters, labels, max_attempts, timeout_seconds, backoff, run_at,
                     queued_at, created_by, created_at, traceparent, tracestate, attempt, worker_id, lease_token, lease_expires_at,
                     started_at, version)
  SELECT tenant_id, id, name, type, queue, priority, status, parameters, labels, max_attempts, timeout_seconds, backoff, run_at,
         CASE WHEN status IN ('queued', 'running') THEN now() END, created_by, created_at, traceparent, tracestate,
         CASE WHEN claimed THEN 1 ELSE 0 END, CASE WHEN claimed THEN $17 END, CASE WHEN claimed THEN gen_random_uuid() END,
         CASE WHEN claimed THEN now() + make_interval(secs => $18) END, CASE WHEN claimed THEN now() END, CASE WHEN claimed THEN 2 ELSE 1 END
  FROM placed
  RETURNING *
), recorded AS (
  INSERT INTO events (tenant_id, task_id, action, from_status, ${taskEventColumns.join(', ')})
  SELECT t.tenant_id, t.id, 'task_created', NULL::task_status, ${taskEventColumns.map((column) => asCreated[column] ?? `t.${column}`).join(', ')} FROM inserted t
  UNION ALL
  SELECT t.tenant_id, t.id, 'task_started', 'queued', ${taskEventColumns.map((column) => `t.${column}`).join(', ')} FROM inserted t WHERE t.status = 'running'
)
SELECT id, status, queued_at, updated_at, lease_token FROM inserted`,
);

export interface Enqueued {
  /** As they were created, in the order in which they were given. */
  rows: TaskRow[];
  claimed: ClaimedTask[];
}

/**
 * create ──► pending | scheduled | queued, and for as many as `request` has slots for ──► running in the same statement.
 * Those overtake what is in line, so ask only when nothing is known to be.
 */
export async function enqueue(db: Queryable, tasks: NewTask[], request?: Claim): Promise<Enqueued> {
  const claimed = request ? mostUrgent(tasks, request) : new Set();
  const times = tasks.map((task) => timeOfId(task.id));
  const placed = await db.query(enqueueStatement, [
    tasks.map((task) => task.tenant_id),
    tasks.map((task) => task.id),
    tasks.map((task) => task.name),
    tasks.map((task) => task.type),
    tasks.map((task) => task.queue),
    tasks.map((task) => task.priority),
    tasks.map((task) => JSON.stringify(task.parameters)),
    tasks.map((task) => JSON.stringify(task.labels)),
    tasks.map((task) => task.max_attempts),
    tasks.map((task) => task.timeout_seconds),
    tasks.map((task) => JSON.stringify(task.backoff)),
    tasks.map((task) => task.run_at),
    tasks.map((task) => task.start === 'auto'),
    tasks.map((task) => task.created_by),
    times,
    tasks.map((task) => claimed.has(task)),
    request?.worker_ids[0],
    request?.lease_seconds,
    ...tracesOf(tasks),
  ]);
  const byId = new Map(placed.map((row) => [row.id, row]));
  const ordered = tasks.map((task) => byId.get(task.id)!);
  return {
    rows: tasks.map((task, index) => newRow(task, ordered[index]!, times[index]!)),
    claimed: tasks.flatMap((task, index) => {
      const { lease_token } = ordered[index]!;
      if (!lease_token) return [];
      const { trace, ...fields } = task;
      return [{ ...fields, ...storedTrace(trace), attempt: 1, lease_token, worker_id: request!.worker_ids[0]!, checkpoint: null }];
    }),
  };
}

/** Nothing at all, instead of a list of nothing, while no task has a trace: the database reads both alike. */
function tracesOf(tasks: NewTask[]): [(string | null)[] | null, (string | null)[] | null] {
  if (!tasks.some(({ trace }) => trace)) return [null, null];
  return [tasks.map(({ trace }) => trace?.traceparent ?? null), tasks.map(({ trace }) => trace?.tracestate ?? null)];
}

function storedTrace(trace: NewTask['trace']): Pick<TaskRow, 'traceparent' | 'tracestate'> {
  return { traceparent: trace?.traceparent ?? null, tracestate: trace?.tracestate ?? null };
}

/** Those that a claim would take if nothing else were in line. */
function mostUrgent(tasks: NewTask[], { types, queues = [], tenant_id, limit }: Claim): Set<NewTask> {
  const ready = tasks.filter(
    (task) =>
      task.start === 'auto' &&
      task.run_at === null &&
      types.includes(task.type) &&
      (!queues.length || queues.includes(task.queue)) &&
      (tenant_id === undefined || task.tenant_id === tenant_id),
  );
  const urgency = (task: NewTask) => taskPriorities.indexOf(task.priority);
  return new Set(ready.toSorted((a, b) => urgency(b) - urgency(a)).slice(0, limit));
}

function newRow({ start: _start, trace, ...task }: NewTask, { status, queued_at, updated_at }: Placed, created_at: string): TaskRow {
  return {
    ...task,
    ...storedTrace(trace),
    status: status === 'running' ? 'queued' : status,
    queued_at,
    updated_at,
    created_at,
    result: null,
    error: null,
    progress: 0,
    progress_message: null,
    attempt: 0,
    worker_id: null,
    started_at: null,
    finished_at: null,
    version: 1,
    uncounted_attempts: 0,
    rescues: 0,
    lease_token: null,
    lease_expires_at: null,
    cancel_requested_at: null,
    cancel_state: null,
  };
}
