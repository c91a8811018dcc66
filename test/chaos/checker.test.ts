import { describe, expect, test } from 'vitest';
import { check } from './checker.js';
import type { Entry, Happening } from './history.js';
import type { Stored, StoredEvent, StoredTask } from './stored.js';

const second = 1_000;

type Step = [action: string, status: string, changes?: Partial<StoredEvent>];

const created: Step = ['task_created', 'queued'];
const started: Step = ['task_started', 'running'];
const completed: Step = ['task_completed', 'completed'];
const rescued: Step = ['task_queued', 'queued'];

/** The events of one task: attempts, versions and times follow from the steps unless a step says otherwise. */
function life(steps: Step[], { id = 'a', from = 1 } = {}): StoredEvent[] {
  let attempt = 0;
  return steps.map(([action, status, changes], index) => {
    if (action === 'task_started') attempt += 1;
    return { seq: from + index, id, action, status, attempt, version: index + 1, at: index * second, worker: null, ...changes };
  });
}

/** What a healthy database holds after these events. */
function stored(events: StoredEvent[], changes: Partial<StoredTask> = {}): Stored {
  const tasks = [...Map.groupBy(events, (event) => event.id)].map(([id, own]) => {
    const { status, attempt, version } = own.at(-1)!;
    return { id, status, attempt, version: version!, key: null, seconds: 0, ...changes };
  });
  return { tasks, events, lost: [] };
}

function history(...happenings: Happening[]): Entry[] {
  return happenings.map((happening, at) => ({ at, ...happening }));
}

const answer = (status: string, version: number, attempt: number, id = 'a') => ({ id, status, version, attempt });

function acknowledged(request: 'create' | 'cancel', tasks: ReturnType<typeof answer>[], key?: string): Happening {
  return { kind: 'acknowledged', request, tasks, ...(key && { key }) };
}

const seen = ({ seq, action, id, status, version }: StoredEvent): Happening => ({
  kind: 'event',
  watcher: 'w',
  event: { seq, action, id, status, version: version ?? undefined },
});

const rules = (entries: Entry[], database: Stored) => [...new Set(check(entries, database).map((violation) => violation.rule))];

const whole = life([created, started, completed]);

describe('a history without a fault', () => {
  test('of a task that ran once has nothing wrong', () => {
    const entries = history(acknowledged('create', [answer('queued', 1, 0)]), ...whole.map(seen));
    expect(check(entries, stored(whole))).toEqual([]);
  });

  test('of a task that was rescued, failed, waited, was retried and cancelled has nothing wrong', () => {
    const events = life([
      ['task_created', 'pending'],
      ['task_queued', 'queued'],
      started,
      ['task_progress', 'running'],
      rescued,
      started,
      ['task_updated', 'scheduled'],
      ['task_queued', 'queued'],
      started,
      ['task_failed', 'failed'],
      ['task_queued', 'queued'],
      started,
      ['task_updated', 'cancelling'],
      ['task_cancelled', 'cancelled'],
    ]);
    expect(check(history(acknowledged('cancel', [answer('cancelling', 13, 4)]), ...events.map(seen)), stored(events))).toEqual([]);
  });

  test('of a key that was answered twice with the same task has nothing wrong, nor has one whose request got nowhere', () => {
    const create = acknowledged('create', [answer('queued', 1, 0)], 'k');
    const entries = history({ kind: 'asked', key: 'k', size: 1 }, create, create, { kind: 'asked', key: 'lost', size: 3 });
    expect(check(entries, stored(whole, { key: 'k' }))).toEqual([]);
  });
});

describe('the checker reports', () => {
  test('a task that was acknowledged and is not there', () => {
    expect(rules(history(acknowledged('create', [answer('queued', 1, 0)])), stored([]))).toEqual(['task lost']);
  });

  test('a task whose events are there and whose row is not', () => {
    expect(rules([], { ...stored(whole), tasks: [] })).toEqual(['task lost']);
  });

  test('a command that was acknowledged and left no trace', () => {
    expect(rules(history(acknowledged('cancel', [answer('cancelling', 3, 1)])), stored(whole))).toEqual(['answer not kept']);
    expect(rules(history(acknowledged('cancel', [answer('cancelled', 9, 1)])), stored(whole))).toEqual(['answer not kept']);
  });

  test('a task that was completed twice in one life', () => {
    const twice = life([created, started, completed, completed]);
    expect(rules([], stored(twice))).toEqual(['illegal transition', 'ended twice']);
  });

  test('a task that failed after it had completed', () => {
    const events = life([created, started, completed, ['task_failed', 'failed']]);
    expect(rules([], stored(events))).toContain('ended twice');
  });

  test('a completed task that runs again', () => {
    expect(rules([], stored(life([created, started, completed, ['task_queued', 'queued'], started, completed])))).toEqual([
      'illegal transition',
    ]);
  });

  test('a task that was started twice at the same time', () => {
    expect(rules([], stored(life([created, started, started, completed])))).toEqual(['illegal transition']);
  });

  test('the result of an attempt whose lease was lost, by its number', () => {
    const events = life([created, started, rescued, started, ['task_completed', 'completed', { attempt: 1 }]]);
    expect(rules([], stored(events))).toEqual(['stale attempt']);
  });

  test('the result of an attempt whose lease was lost, by its being there too soon', () => {
    const events = life([created, started, rescued, started, completed]);
    expect(rules([], stored(events, { seconds: 1 }))).toEqual([]);
    expect(rules([], stored(events, { seconds: 3 }))).toEqual(['stale result']);
  });

  test('a cancelled task whose attempt was taken for completed', () => {
    expect(rules([], stored(life([created, started, ['task_updated', 'cancelling'], completed])))).toEqual(['illegal transition']);
  });

  test('a task that is not finished in the end', () => {
    expect(rules([], stored(life([created, started])))).toEqual(['not finished']);
  });

  test('a change that left no event', () => {
    expect(rules([], stored(life([created, started, ['task_completed', 'completed', { version: 4 }]])))).toEqual(['hole in the log']);
    const ahead = stored(whole);
    ahead.tasks[0]!.version = 4;
    expect(rules([], ahead)).toEqual(['row and log disagree']);
  });

  test('a row without any event', () => {
    expect(rules([], { ...stored(whole), events: [] })).toEqual(['row and log disagree']);
  });

  test('a key that made two tasks, or was answered with two', () => {
    const asked: Happening = { kind: 'asked', key: 'k', size: 1 };
    const both = [...whole, ...life([created, started, completed], { id: 'b', from: 4 })];
    expect(rules(history(asked), stored(both, { key: 'k' }))).toEqual(['key used twice']);
    const answers = [acknowledged('create', [answer('queued', 1, 0)], 'k'), acknowledged('create', [answer('queued', 1, 0, 'b')], 'k')];
    const one = stored(both);
    one.tasks[0]!.key = 'k';
    expect(rules(history(asked, ...answers), one)).toEqual(['key used twice']);
  });

  test('an event that a subscriber missed, saw twice, in the wrong order, differently, or alone', () => {
    const [first, second, third] = whole.map(seen);
    expect(rules(history(first!, third!), stored(whole))).toEqual(['not watched']);
    expect(rules(history(first!, second!, second!, third!), stored(whole))).toEqual(['watched out of order']);
    expect(rules(history(first!, third!, second!), stored(whole))).toEqual(['watched out of order']);
    expect(rules(history(first!, second!, seen({ ...whole[2]!, status: 'failed' })), stored(whole))).toEqual(['watched otherwise']);
    expect(rules(history(...whole.map(seen), seen({ ...whole[2]!, seq: 4 })), stored(whole))).toEqual(['watched what is not in the log']);
  });

  test('a log whose numbers do not grow', () => {
    const events = life([created, started, ['task_completed', 'completed', { seq: 2 }]]);
    expect(rules([], stored(events))).toEqual(['seq does not grow']);
  });

  test('answers that no fault explains, and what the harness saw go wrong itself', () => {
    const entries = history(
      { kind: 'unexpected', request: 'POST /tasks', answer: '500' },
      { kind: 'wrong', rule: 'process', what: 'replica 1 ended by itself' },
    );
    expect(rules(entries, stored(whole)).toSorted()).toEqual(['process', 'unexpected answer']);
  });
});
