import type { StoredEvent } from './stored.js';

/**
 * The arrows of docs/task-lifecycle.md as the event log shows them: state before, action, state after.
 * `new` is before create, `gone` after delete.
 */
const arrows = new Set(
  [
    ['new', 'task_created', 'pending', 'scheduled', 'queued'],
    ['pending', 'task_queued', 'queued'],
    ['pending', 'task_cancelled', 'cancelled'],
    ['scheduled', 'task_queued', 'queued'],
    ['scheduled', 'task_cancelled', 'cancelled'],
    ['queued', 'task_started', 'running'],
    ['queued', 'task_cancelled', 'cancelled'],
    ['running', 'task_progress', 'running'],
    ['running', 'task_log', 'running'],
    ['running', 'task_completed', 'completed'],
    ['running', 'task_failed', 'failed'],
    // Failed, rescued or released: another attempt, at once or after its wait.
    ['running', 'task_queued', 'queued'],
    ['running', 'task_updated', 'scheduled', 'cancelling'],
    ['cancelling', 'task_progress', 'cancelling'],
    ['cancelling', 'task_log', 'cancelling'],
    ['cancelling', 'task_cancelled', 'cancelled'],
    ['failed', 'task_queued', 'queued'],
    ['cancelled', 'task_queued', 'queued'],
    // Edits, before the first attempt.
    ...['pending', 'scheduled', 'queued'].map((state) => [state, 'task_updated', 'pending', 'scheduled', 'queued']),
  ].flatMap(([from, action, ...to]) => to.map((state) => `${from} ${action} ${state}`)),
);

export const terminal: readonly string[] = ['completed', 'failed', 'cancelled'];

/** What is wrong with the events of one task, given in the order of their `seq`. Each problem is a rule and a sentence. */
export function judgeLife(id: string, events: StoredEvent[], secondsOfAttempt: number): [rule: string, what: string][] {
  const problems: [string, string][] = [];
  let state = 'new';
  let attempt = 0;
  let version = 0;
  let startedAt = 0;
  let endedBy: StoredEvent | undefined;
  for (const event of events) {
    const { seq, action, status } = event;
    const after = action === 'task_deleted' ? 'gone' : status;
    const legal =
      action === 'task_deleted' ? !['new', 'running', 'cancelling', 'gone'].includes(state) : arrows.has(`${state} ${action} ${after}`);
    if (!legal) problems.push(['illegal transition', `${id}: ${action} to ${after} at seq ${seq}, but it was ${state}`]);

    if (endedBy && action === 'task_queued') endedBy = undefined;
    else if (endedBy && action !== 'task_deleted') {
      problems.push(['ended twice', `${id}: ${action} at seq ${seq}, but ${endedBy.action} at seq ${endedBy.seq} had ended that life`]);
    }
    if (terminal.includes(status) && action !== 'task_deleted') endedBy ??= event;

    attempt += action === 'task_started' ? 1 : 0;
    if (event.attempt !== attempt) {
      problems.push([
        'stale attempt',
        `${id}: ${action} at seq ${seq} speaks of attempt ${event.attempt}, but ${attempt} was the last started`,
      ]);
    }
    if (action === 'task_started') startedAt = event.at;
    // Whoever answers sooner than the attempt can have taken is answering for an attempt whose lease is lost.
    if (action === 'task_completed' && event.at - startedAt < secondsOfAttempt * 1_000 - clockToleranceMs) {
      const took = `${((event.at - startedAt) / 1_000).toFixed(2)} s after its start`;
      problems.push(['stale result', `${id}: attempt ${attempt} completed ${took} at seq ${seq}, but takes ${secondsOfAttempt} s`]);
    }
    if (event.version !== null) {
      if (event.version !== version + 1) {
        problems.push(['hole in the log', `${id}: version ${event.version} at seq ${seq} follows version ${version}`]);
      }
      version = event.version;
    }
    state = after;
  }
  return problems;
}

/** Timers of Node and the database's clock are not the same clock. */
const clockToleranceMs = 30;
