import type { Backoff, Json, JsonObject, Task, TaskPriority } from '../tasks/task.js';
import type { TraceContext } from '../tracing/trace-context.js';

/** One row of `tasks` as the driver returns it: the client's view and what only the engine may see. */
export interface TaskRow extends Omit<Task, 'trace_id'> {
  traceparent: string | null;
  tracestate: string | null;
  uncounted_attempts: number;
  rescues: number;
  lease_token: string | null;
  lease_expires_at: string | null;
  cancel_requested_at: string | null;
}

/** A row after a transition that may begin in several states, with the one it was in. */
export interface ChangedTaskRow extends TaskRow {
  was: Task['status'];
}

/** What is told of a task that is gone. */
export type RemovedTask = Pick<
  Task,
  'name' | 'type' | 'queue' | 'priority' | 'status' | 'labels' | 'attempt' | 'created_by' | 'created_at' | 'version'
>;

/** Which task: the tenant is part of every key. */
export interface TaskRef {
  tenant_id: string;
  id: string;
}

/** Proof of holding a lease; every result carries it, so that a late answer of a lost lease changes nothing. */
export interface Lease extends TaskRef {
  attempt: number;
  lease_token: string;
}

/** A task to create. All values are already checked and complete. */
export interface NewTask extends TaskRef {
  name: string;
  type: string;
  queue: string;
  priority: TaskPriority;
  parameters: JsonObject;
  labels: Record<string, string>;
  max_attempts: number;
  timeout_seconds: number;
  backoff: Backoff;
  /** RFC 3339; a time in the future makes the task `scheduled`. */
  run_at: string | null;
  /** `auto` queues the task at once, `manual` leaves it `pending` until it is executed. */
  start: 'auto' | 'manual';
  created_by: string;
  /** The trace of the request; its attempts belong to it, too. */
  trace?: TraceContext | undefined;
}

/** A running attempt, as a worker receives it: what it needs to run, and no more, as every column costs on the way. */
export interface ClaimedTask
  extends
    Lease,
    Pick<Task, 'name' | 'type' | 'queue' | 'priority' | 'labels' | 'parameters' | 'max_attempts' | 'timeout_seconds' | 'worker_id'> {
  /** What the attempt before it has kept. */
  checkpoint: JsonObject | null;
  traceparent: string | null;
  tracestate: string | null;
}

export type { Json, JsonObject };
