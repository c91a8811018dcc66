import { display, type Item } from './text.js';

/** An event for people: `line` says when, what, whose and what is new; `text` what somebody has written, of any length. */
export interface EventText {
  line: string;
  text: string;
}

/** What is short and new stands before the name, where it is not cut off in 80 columns. */
export function eventText(event: Item): EventText {
  const { at, action, id, name } = event;
  // The time of day is enough beside events that have just happened, and leaves room in 80 columns.
  const time = display(at).replace(/^\S+ (\S+)Z$/, '$1');
  const parts = [time, `${display(action).padEnd(14)} ${display(id)}`, news(event), display(name), more(event)];
  return { line: parts.filter(Boolean).join('  '), text: written(event) };
}

function news({ action, progress, severity }: Item): string {
  if (action === 'task_progress') return `${String(Math.round(Number(progress))).padStart(3)} %`;
  return severity ? display(severity) : '';
}

function more({ action, worker_id, attempt, severity, progress_message, labels }: Item): string {
  if (action === 'task_progress' && progress_message) return display(progress_message);
  if (action === 'task_started') return `attempt ${display(attempt)} by ${display(worker_id)}`;
  return severity && hasAny(labels) ? display(labels) : '';
}

function written({ action, log, error }: Item): string {
  if (action === 'task_log' && log) return `${display((log as Item).level)}: ${display((log as Item).message)}`;
  if (action === 'task_failed' && error) return `${display((error as Item).code)}: ${display((error as Item).message)}`;
  return '';
}

function hasAny(labels: unknown): boolean {
  return typeof labels === 'object' && labels !== null && Object.keys(labels).length > 0;
}
