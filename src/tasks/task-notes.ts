import { createHash } from 'node:crypto';
import { noteChange, noteUnchanged } from '../audit/note-change.js';
import type { TaskRow } from '../engine/task-row.js';
import { canonicalJson } from '../input/canonical-json.js';
import type { Task, TaskStatus } from './task.js';
import { toTaskView } from './task-view.js';

/* What the audit log is told of tasks. Never their parameters: they are the caller's, and may hold secrets. A digest tells whether they have changed. */

/** Nobody has created anything when an Idempotency-Key has found an earlier answer. */
export function noteCreated(rows: TaskRow[]): void {
  if (rows.length === 0) noteUnchanged();
  for (const { id, name, type, queue, priority, status } of rows) noteChange({ id, after: { name, type, queue, priority, status } });
}

export function edited(before: Task, after: Task): Task {
  noteChange({ id: after.id, before: fieldsOf(before), after: fieldsOf(after) });
  return after;
}

/** A task that was brought from one state into another. */
export function moved(row: TaskRow, was: TaskStatus): Task {
  noteChange({ id: row.id, before: { status: was, version: row.version - 1 }, after: { status: row.status, version: row.version } });
  return toTaskView(row);
}

function fieldsOf({
  name,
  type,
  queue,
  priority,
  parameters,
  labels,
  max_attempts,
  timeout_seconds,
  backoff,
  run_at,
  status,
  version,
}: Task): object {
  const parameters_sha256 = createHash('sha256').update(canonicalJson(parameters)).digest('hex');
  return { name, type, queue, priority, labels, max_attempts, timeout_seconds, backoff, run_at, status, version, parameters_sha256 };
}
