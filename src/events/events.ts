import type { Alert } from '../alerts/alert.js';
import type { Json, Task } from '../tasks/task.js';

/** Everything the event log can say of a task, named as clients see it. */
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

/** And of an alert. */
export const alertActions = ['alert_created', 'alert_updated', 'alert_acknowledged', 'alert_resolved'] as const;
export type AlertAction = (typeof alertActions)[number];

/** What a Socket.IO channel tells: of the notification, whose id stands for the alert's, and which stands for the alert. */
export const notificationAction = 'alert_notification';

/** And of the configuration. */
export const configActions = ['config_updated'] as const;
export type ConfigAction = (typeof configActions)[number];

/** And of what admins have the server do. */
export const adminActions = ['admin_action'] as const;
export type AdminAction = (typeof adminActions)[number];

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
  /** Of `task_log` alone. Events of alerts have the alert here, those of the configuration the version, those of admin actions the run. */
  log?: { level: string; message: string; data?: Json };
};

/** One row of the event log. */
export interface LogEvent {
  /** Grows over the whole cluster, in commit order as readers see it; the number to resume from. */
  seq: number;
  tenant_id: string;
  /** Of alerts: the alert's id; of the configuration: an id of the event's own; of admin actions: the run's. */
  task_id: string;
  action: TaskAction | AlertAction | typeof notificationAction | ConfigAction | AdminAction;
  at: string;
  data: TaskEventData;
}

/** What goes to clients on every door. */
export type TaskEventView = { seq: number; action: TaskAction; at: string; id: string } & TaskEventData;

export function toEventView({ seq, action, at, task_id, data }: LogEvent): TaskEventView {
  return { seq, action: action as TaskAction, at, id: task_id, ...data };
}

export function isTaskEvent({ action }: LogEvent): boolean {
  return action.startsWith('task_');
}

export function isAlertEvent({ action }: LogEvent): boolean {
  return action.startsWith('alert_') && action !== notificationAction;
}

export function isConfigEvent({ action }: LogEvent): boolean {
  return action.startsWith('config_');
}

/** What goes to clients on every door. */
export type AlertEventView = Alert & { seq: number; action: AlertAction; at: string };

export function toAlertEventView({ seq, action, at, data }: LogEvent): AlertEventView {
  const entries = Object.entries(data.log as unknown as Alert).map(([key, value]) => [
    key,
    key.endsWith('_at') || key.endsWith('_until') ? rfc3339(value) : value,
  ]);
  return { ...(Object.fromEntries(entries) as Alert), seq, action: action as AlertAction, at };
}

/** What goes to clients on every door: the version that was made, and what it has changed. */
export type ConfigEventView = { seq: number; action: ConfigAction; at: string; version: number; changes: unknown[] };

export function toConfigEventView({ seq, action, at, data }: LogEvent): ConfigEventView {
  return { ...(data.log as unknown as ConfigEventView), seq, action: action as ConfigAction, at };
}

export function isAdminActionEvent({ action }: LogEvent): boolean {
  return action === 'admin_action';
}

/** What goes to clients on every door: how a run of an admin action is. */
export type AdminActionEventView = { seq: number; action: AdminAction; at: string; run: Record<string, unknown> };

export function toAdminActionEventView({ seq, action, at, data }: LogEvent): AdminActionEventView {
  const run = Object.entries(data.log as unknown as object).map(([key, value]) => [key, key.endsWith('_at') ? rfc3339(value) : value]);
  return { seq, action: action as AdminAction, at, run: Object.fromEntries(run) as Record<string, unknown> };
}

/** Times in JSON of the database have more digits, and no Z. */
function rfc3339(value: unknown): unknown {
  return typeof value === 'string' ? new Date(value).toISOString() : value;
}
