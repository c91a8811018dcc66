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

/** The task as it was at the event, without `parameters` and `result`; absent fields are null or were not touched. */
export type TaskEventData = Partial<Omit<Task, 'id' | 'tenant_id' | 'parameters' | 'result' | 'created_at'>> & {
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
