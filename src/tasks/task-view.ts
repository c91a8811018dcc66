import type { TaskRow } from '../engine/task-row.js';
import type { Task } from './task.js';

/** Columns of `tasks` that clients see, in the order in which they see them. The lease is the worker's alone. */
export const taskColumns = [
  'id',
  'tenant_id',
  'name',
  'type',
  'queue',
  'priority',
  'status',
  'parameters',
  'labels',
  'result',
  'error',
  'progress',
  'progress_message',
  'attempt',
  'max_attempts',
  'timeout_seconds',
  'backoff',
  'run_at',
  'worker_id',
  'created_by',
  'created_at',
  'updated_at',
  'queued_at',
  'started_at',
  'finished_at',
  'version',
] as const satisfies (keyof Task)[];

export function toTaskView(row: TaskRow | Task): Task {
  return Object.fromEntries(taskColumns.map((column) => [column, row[column]])) as unknown as Task;
}
