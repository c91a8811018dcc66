import type { Json, Task } from '../tasks/task.js';

/** Everything the event log can say, named as clients see it. */
export const taskActions = [
  'task_created',
  'task_updated',
  'task_queued',
  'task_started',
  'task_progress',
  'task_log',
  'task_completed',
  'task_failed',
  'task_cancelled',
  'task_deleted',
] as const;
export type TaskAction = (typeof taskActions)[number];

/** Actions after which a task does not change any more, unless somebody retries it. */
export const finishingActions: readonly TaskAction[] = ['task_completed', 'task_failed', 'task_cancelled', 'task_deleted'];

/** What an event keeps of its task: everything but `parameters` and `result`, which may be large. Columns of `events` as of `tasks`. */
export const taskEventColumns = [
  'name',
  'type',
  'queue',
  'priority',
  'status',
  'labels',
  'error',
  'progress',
  'progress_message',
  'attempt',
  'max_attempts',
  'run_at',
  'worker_id',
  'created_by',
  'created_at',
  'queued_at',
  'started_at',
  'finished_at',
  'version',
] as const satisfies (keyof Task)[];

/** The task as it was at the event; fields that are null or that the event says nothing of are absent. */
export type TaskEventData = Partial<Pick<Task, (typeof taskEventColumns)[number]>> & {
  /** Of `task_log` alone. */
  log?: { level: string; message: string; data?: Json };
};

/** One row of the event log. */
export interface TaskEvent {
  /** Grows over the whole cluster, in commit order as readers see it; the number to resume from. */
  seq: number;
  tenant_id: string;
  task_id: string;
  action: TaskAction;
  at: string;
  data: TaskEventData;
}

/** What goes to clients on every door. */
export type TaskEventView = { seq: number; action: TaskAction; at: string; id: string } & TaskEventData;

export function toEventView({ seq, action, at, task_id, data }: TaskEvent): TaskEventView {
  return { seq, action, at, id: task_id, ...data };
}
