import { display, type Item } from './text.js';

/** An event of a task or an alert on one line: when, what, whose, and what is new of it. */
export function eventLine(event: Item): string {
  const { at, action, id, name } = event;
  // The time of day is enough beside events that have just happened, and leaves room in 80 columns.
  const time = display(at).replace(/^\S+ (\S+)Z$/, '$1');
  return `${time}  ${display(action).padEnd(14)} ${display(id)}  ${display(name)}${details(event)}`;
}

function details(event: Item): string {
  const { action, log, error, progress, progress_message, worker_id, attempt, severity, labels } = event;
  if (action === 'task_log' && log) return `  ${display((log as Item).level)}: ${display((log as Item).message)}`;
  if (action === 'task_progress') return `  ${display(progress)} %${progress_message ? ` ${display(progress_message)}` : ''}`;
  if (action === 'task_failed' && error) return `  ${display((error as Item).code)}: ${display((error as Item).message)}`;
  if (action === 'task_started') return `  attempt ${display(attempt)} by ${display(worker_id)}`;
  if (severity) return `  ${display(severity)}${hasAny(labels) ? `  ${display(labels)}` : ''}`;
  return '';
}

function hasAny(labels: unknown): boolean {
  return typeof labels === 'object' && labels !== null && Object.keys(labels).length > 0;
}
