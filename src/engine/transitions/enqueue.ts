import { statement, type Queryable } from '../../database/database.js';
import { timeOfId } from '../task-id.js';
import type { NewTask, TaskRow } from '../task-row.js';
import { recordEvents } from './sql.js';

/** What the database alone decides of a new row; the rest is as it was given. */
type Placed = Pick<TaskRow, 'id' | 'status' | 'queued_at' | 'updated_at'>;

const enqueueStatement = statement<Placed>(
  'enqueue',
  `WITH input AS (
  SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::task_priority[], $7::jsonb[], $8::jsonb[],
                       $9::int[], $10::int[], $11::jsonb[], $12::timestamptz[], $13::boolean[], $14::text[], $15::timestamptz[])
    AS i(tenant_id, id, name, type, queue, priority, parameters, labels,
         max_attempts, timeout_seconds, backoff, run_at, auto, created_by, created_at)
), placed AS (
  SELECT i.*, CASE WHEN i.run_at > now() THEN 'scheduled' WHEN i.auto OR i.run_at IS NOT NULL THEN 'queued' ELSE 'pending' END::task_status AS status
  FROM input i
), changed AS (
  INSERT INTO tasks (tenant_id, id, name, type, queue, priority, status, parameters, labels,
                     max_attempts, timeout_seconds, backoff, run_at, queued_at, created_by, created_at)
  SELECT tenant_id, id, name, type, queue, priority, status, parameters, labels,
         max_attempts, timeout_seconds, backoff, run_at, CASE status WHEN 'queued' THEN now() END, created_by, created_at
  FROM placed
  RETURNING *
), ${recordEvents("'task_created'")}
SELECT id, status, queued_at, updated_at FROM changed`,
);

/** create ──► pending | scheduled | queued. Answers the rows in the order of `tasks`. */
export async function enqueue(db: Queryable, tasks: NewTask[]): Promise<TaskRow[]> {
  const rows = await db.query(enqueueStatement, [
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
    tasks.map((task) => timeOfId(task.id)),
  ]);
  const byId = new Map(rows.map((row) => [row.id, row]));
  return tasks.map((task) => newRow(task, byId.get(task.id)!));
}

function newRow({ start: _start, ...task }: NewTask, placed: Placed): TaskRow {
  return {
    ...task,
    ...placed,
    created_at: timeOfId(task.id),
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
  };
}
