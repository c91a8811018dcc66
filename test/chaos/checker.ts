import { ofKind, type Entry } from './history.js';
import { judgeLife, terminal } from './life-cycle.js';
import type { Stored, StoredEvent } from './stored.js';

export interface Violation {
  rule: string;
  what: string;
}

/**
 * Holds what clients were told against what the database holds after all faults are healed.
 * Tasks are independent of each other, so this is linear in the number of events.
 */
export function check(history: readonly Entry[], stored: Stored): Violation[] {
  const violations: Violation[] = ofKind(history, 'wrong').map(({ rule, what }) => ({ rule, what }));
  const report = (rule: string, what: string) => violations.push({ rule, what });
  for (const { request, answer } of ofKind(history, 'unexpected')) report('unexpected answer', `${request}: ${answer}`);
  checkLives(stored, report);
  checkAcknowledged(history, stored, report);
  checkKeys(history, stored, report);
  for (const watcher of new Set(ofKind(history, 'event').map((entry) => entry.watcher))) checkWatcher(watcher, history, stored, report);
  return violations;
}

type Report = (rule: string, what: string) => void;

/** Every task: its events are a life as the state machine allows it, to the end, and its row is where they lead. */
function checkLives({ tasks, events }: Stored, report: Report): void {
  events.forEach((event, index) => {
    const before = events[index - 1];
    if (before && event.seq <= before.seq) report('seq does not grow', `${event.seq} follows ${before.seq}`);
  });
  const rows = new Map(tasks.map((task) => [task.id, task]));
  const lives = Map.groupBy(events, (event) => event.id);
  for (const [id, life] of lives) {
    for (const [rule, what] of judgeLife(id, life, rows.get(id)?.seconds ?? 0)) report(rule, what);
    if (!rows.has(id) && life.at(-1)!.action !== 'task_deleted') report('task lost', `${id}: its events are there, its row is not`);
  }
  for (const task of tasks) {
    if (!terminal.includes(task.status)) report('not finished', `${task.id} is ${task.status} in the end`);
    const last = lives.get(task.id)?.findLast((event) => event.version !== null);
    if (last?.version !== task.version || last.status !== task.status || last.attempt !== task.attempt) {
      const said = last ? `${last.status}, attempt ${last.attempt}, version ${last.version}` : 'nothing';
      const is = `${task.status}, attempt ${task.attempt}, version ${task.version}`;
      report('row and log disagree', `${task.id} is ${is}; its last event says ${said}`);
    }
  }
}

/** Whatever the server said yes to has happened: each answer shows a version of its task, and the log knows that version. */
function checkAcknowledged(history: readonly Entry[], { tasks, events }: Stored, report: Report): void {
  const present = new Set(tasks.map((task) => task.id));
  const versions = new Map(events.map((event) => [`${event.id} ${event.version}`, event]));
  for (const { request, tasks: answered } of ofKind(history, 'acknowledged')) {
    for (const { id, version, status, attempt } of answered) {
      const event = versions.get(`${id} ${version}`);
      if (!present.has(id)) report('task lost', `${id}: the ${request} was acknowledged, the task is not there`);
      else if (event?.status !== status || event.attempt !== attempt) {
        const logged = event ? `${event.status}, attempt ${event.attempt}` : 'no such version';
        report('answer not kept', `${id}: ${request} answered ${status}, attempt ${attempt} as version ${version}; the log has ${logged}`);
      }
    }
  }
}

/** One Idempotency-Key stands for one request, however often it was sent: the same tasks in every answer, and no others stored. */
function checkKeys(history: readonly Entry[], { tasks }: Stored, report: Report): void {
  const stored = Map.groupBy(tasks, (task) => task.key);
  const answered = Map.groupBy(ofKind(history, 'acknowledged'), (entry) => entry.key);
  for (const { key, size } of ofKind(history, 'asked')) {
    const ids = (stored.get(key) ?? []).map((task) => task.id).sort();
    const answers = (answered.get(key) ?? []).map((entry) => entry.tasks.map((task) => task.id).sort());
    if (ids.length !== size && (ids.length || answers.length))
      report('key used twice', `${key}: ${ids.length} tasks stored, ${size} asked for`);
    for (const answer of answers) {
      if (answer.join() !== ids.join()) report('key used twice', `${key}: answered ${answer.join()}, stored ${ids.join()}`);
    }
  }
}

/** A subscriber that resumes by `since` hears every event of the log once and in order, whatever it was connected to. */
function checkWatcher(watcher: string, history: readonly Entry[], { events }: Stored, report: Report): void {
  const seen = ofKind(history, 'event').filter((entry) => entry.watcher === watcher);
  const missing = new Map(events.map((event) => [event.seq, event]));
  let last = 0;
  for (const { event } of seen) {
    const { seq } = event;
    if (seq <= last) report('watched out of order', `${watcher} saw seq ${seq} after ${last}`);
    last = Math.max(last, seq);
    const logged = missing.get(seq);
    missing.delete(seq);
    if (!logged) {
      if (!events.some((one) => one.seq === seq))
        report('watched what is not in the log', `${watcher} saw seq ${seq}, ${event.action} of ${event.id}`);
    } else if (!isSame(event, logged)) {
      report('watched otherwise', `${watcher} saw seq ${seq} as ${JSON.stringify(event)}; the log has ${JSON.stringify(logged)}`);
    }
  }
  const skipped = [...missing.keys()];
  if (skipped.length) report('not watched', `${watcher} never saw ${skipped.length} events: seq ${skipped.slice(0, 20).join(', ')}`);
}

function isSame(seen: Extract<Entry, { kind: 'event' }>['event'], logged: StoredEvent): boolean {
  return (
    seen.id === logged.id &&
    seen.action === logged.action &&
    (seen.version ?? null) === logged.version &&
    (seen.status ?? null) === (logged.status as string | null)
  );
}
