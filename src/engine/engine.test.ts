import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { claimOne, failureOf, leaseOf, newTask, startTestEngine, type TestEngine } from '../../test/support/engine.js';
import type { NewTask } from './task-row.js';

let t: TestEngine;
beforeAll(async () => {
  t = await startTestEngine();
});
afterAll(() => t.close());
beforeEach(() => t.database.api.queryText('TRUNCATE tasks, attempts, task_logs, events'));

async function create(fields: Partial<NewTask> = {}) {
  const [row] = await t.engine.enqueue([newTask(fields)]);
  return row!;
}

async function expireLeases() {
  await t.database.api.queryText("UPDATE tasks SET lease_expires_at = now() - interval '1 second' WHERE lease_token IS NOT NULL");
}

const limits = { max_rescues: 2, cancel_grace_seconds: 10, limit: 100 };

async function actions() {
  const rows = await t.database.api.queryText<{ action: string }>('SELECT action FROM events ORDER BY seq');
  return rows.map((row) => row.action);
}

describe('create', () => {
  test('manual tasks wait, automatic ones are queued, future ones are scheduled', async () => {
    expect(await create({ start: 'manual' })).toMatchObject({ status: 'pending', queued_at: null });
    expect(await create({ start: 'auto' })).toMatchObject({ status: 'queued', queued_at: expect.any(String) });
    expect(await create({ run_at: new Date(Date.now() + 3_600_000).toISOString() })).toMatchObject({ status: 'scheduled' });
    expect(await create({ start: 'manual', run_at: '2020-01-01T00:00:00.000Z' })).toMatchObject({ status: 'queued' });
  });

  test('rows come back in the order in which they were given', async () => {
    const tasks = Array.from({ length: 50 }, (_, index) => newTask({ name: `task ${index}` }));
    const shuffled = tasks.toSorted((a, b) => (a.id.slice(-4) < b.id.slice(-4) ? -1 : 1));
    const rows = await t.engine.enqueue(shuffled);
    expect(rows.map((row) => row.name)).toEqual(shuffled.map((task) => task.name));
  });

  test('one bad row refuses its whole statement and leaves nothing behind', async () => {
    await expect(t.engine.enqueue([newTask(), newTask({ name: 'x'.repeat(256) })])).rejects.toMatchObject({
      constraint: 'tasks_name_length',
    });
    expect(await actions()).toEqual([]);
  });
});

describe('claim', () => {
  test('takes the most urgent first, and the oldest of equals', async () => {
    for (const [name, priority] of [
      ['a', 'low'],
      ['b', 'medium'],
      ['c', 'critical'],
      ['d', 'high'],
      ['e', 'medium'],
    ] as const)
      await create({ name, priority });
    const claimed = await t.engine.claim({ worker_ids: ['w'], types: ['test'], limit: 10, lease_seconds: 30 });
    expect(claimed.map((task) => task.name)).toEqual(['c', 'd', 'b', 'e', 'a']);
  });

  test('leaves types alone that the worker has no handler for', async () => {
    await create({ type: 'other' });
    expect(await claimOne(t.engine)).toBeUndefined();
  });
});

describe('results', () => {
  test('complete ends the task and tells its story', async () => {
    await create();
    const task = (await claimOne(t.engine))!;
    expect(await t.engine.complete([{ ...leaseOf(task), result: { answer: 42 } }])).toEqual(['completed']);
    expect(await t.task(task.id)).toMatchObject({
      status: 'completed',
      result: { answer: 42 },
      progress: 100,
      lease_token: null,
      worker_id: 'w1',
    });
    expect(await actions()).toEqual(['task_created', 'task_started', 'task_completed']);
  });

  test('a result without the lease, or of an earlier attempt, changes nothing and is told so', async () => {
    const { id } = await create({ max_attempts: 3 });
    const first = (await claimOne(t.engine))!;
    await expireLeases();
    await t.engine.rescue(limits);
    const second = (await claimOne(t.engine, 'w2'))!;
    const before = await t.task(id);
    expect(await t.engine.complete([{ ...leaseOf(first), result: 1 }])).toEqual(['lost']);
    expect(await t.engine.fail([failureOf(first)])).toEqual(['lost']);
    expect(await t.engine.release([leaseOf(first)])).toEqual(['lost']);
    expect(await t.engine.heartbeat([leaseOf(first)], 30)).toEqual(['lost']);
    await t.engine.progress([{ ...leaseOf(first), progress: 50, progress_message: null }]);
    await t.engine.appendLogs([{ ...leaseOf(first), level: 'info', message: 'late', data: null }]);
    expect(await t.task(id)).toEqual(before);
    expect(await t.database.api.queryText('SELECT * FROM task_logs')).toEqual([]);
    expect(await t.engine.complete([{ ...leaseOf(second), result: 2 }])).toEqual(['completed']);
    expect(await t.engine.complete([{ ...leaseOf(second), result: 3 }])).toEqual(['lost']);
    expect(await t.task(id)).toMatchObject({ result: 2 });
  });

  test('a batch is settled row by row, each with its own outcome', async () => {
    for (let count = 0; count < 3; count++) await create();
    const [a, b, c] = await t.engine.claim({ worker_ids: ['w'], types: ['test'], limit: 3, lease_seconds: 30 });
    await t.engine.cancel(b!);
    const stale = { ...leaseOf(c!), attempt: 7 };
    expect(await t.engine.complete([stale, leaseOf(b!), leaseOf(a!)].map((lease) => ({ ...lease, result: 1 })))).toEqual([
      'lost',
      'cancelled',
      'completed',
    ]);
  });
});

test('results and the next tasks travel in one statement', async () => {
  for (const name of ['a', 'b', 'c', 'd']) await create({ name });
  const request = { worker_ids: ['w'], types: ['test'], limit: 2, lease_seconds: 30 };
  const [a, b] = await t.engine.claim(request);
  await t.engine.cancel(b!);
  const lost = { ...leaseOf(a!), attempt: 9 };
  expect(await t.engine.completeAndClaim([{ ...lost, result: 1 }], { ...request, limit: 1 })).toMatchObject({
    settled: ['lost'],
    claimed: [{ name: 'c', attempt: 1, lease_token: expect.any(String) }],
  });
  const both = [a!, b!].map((task) => ({ ...leaseOf(task), result: task.name }));
  const answer = await t.engine.completeAndClaim(both, { ...request, limit: 5 });
  expect(answer.settled).toEqual(['completed', 'cancelled']);
  expect(answer.claimed.map((task) => task.name)).toEqual(['d']);
  expect((await actions()).toSorted()).toEqual(
    [
      ...Array.from({ length: 4 }, () => ['task_created', 'task_started']).flat(),
      'task_updated',
      'task_completed',
      'task_cancelled',
    ].toSorted(),
  );
});

test('creates that arrive together become few statements, and a bad one fails alone', async () => {
  const bad = newTask({ name: 'x'.repeat(256) });
  const created = await Promise.allSettled([...Array.from({ length: 50 }, () => newTask()), bad].map((task) => t.engine.enqueueOne(task)));
  expect(created.filter(({ status }) => status === 'fulfilled')).toHaveLength(50);
  expect(created.at(-1)).toMatchObject({ status: 'rejected', reason: { constraint: 'tasks_name_length' } });
});

test('of two executes that arrive together one wins and the other is told so', async () => {
  const { id } = await create({ start: 'manual' });
  const ref = { tenant_id: 'default', id };
  const answers = await Promise.all([t.engine.execute(ref), t.engine.execute(ref)]);
  expect(answers.filter((row) => row?.status === 'queued')).toHaveLength(1);
  expect(answers.filter((row) => row === undefined)).toHaveLength(1);
});

describe('failing', () => {
  test('a retryable failure is tried again until the attempts are used up', async () => {
    const { id } = await create({ max_attempts: 2 });
    expect(await t.engine.fail([failureOf((await claimOne(t.engine))!)])).toEqual(['queued']);
    expect(await t.engine.fail([failureOf((await claimOne(t.engine))!)])).toEqual(['failed']);
    expect(await t.task(id)).toMatchObject({ status: 'failed', attempt: 2, error: { code: 'BOOM', retryable: true, attempt: 2 } });
    expect(await t.database.api.queryText('SELECT attempt, status FROM attempts')).toEqual([{ attempt: 1, status: 'failed' }]);
  });

  test('a failure that says so is final', async () => {
    await create({ max_attempts: 5 });
    expect(await t.engine.fail([failureOf((await claimOne(t.engine))!, { retryable: false })])).toEqual(['failed']);
  });

  test.each([
    ['fixed', [10, 10, 10, 10]],
    ['linear', [10, 20, 30, 35]],
    ['exponential', [10, 20, 35, 35]],
  ] as const)('%s backoff waits %j seconds, capped', async (kind, waits) => {
    const { id } = await create({ max_attempts: 9, backoff: { kind, delay_seconds: 10, max_delay_seconds: 35, jitter: 0 } });
    for (const wait of waits) {
      expect(await t.engine.fail([failureOf((await claimOne(t.engine))!)])).toEqual(['scheduled']);
      const { run_at, updated_at } = await t.task(id);
      expect(Date.parse(run_at!) - Date.parse(updated_at)).toBe(wait * 1_000);
      await t.database.api.queryText('UPDATE tasks SET run_at = now()');
      expect(await t.engine.stageDue(10)).toBe(1);
    }
  });

  test('jitter takes away at most its share of the wait', async () => {
    await t.engine.enqueue(
      Array.from({ length: 40 }, () =>
        newTask({ max_attempts: 2, backoff: { kind: 'fixed', delay_seconds: 100, max_delay_seconds: 300, jitter: 0.5 } }),
      ),
    );
    const claimed = await t.engine.claim({ worker_ids: ['w'], types: ['test'], limit: 40, lease_seconds: 30 });
    await t.engine.fail(claimed.map((task) => failureOf(task)));
    const rows = await t.database.api.queryText<{ wait: number }>(
      'SELECT extract(epoch FROM run_at - updated_at)::float8 AS wait FROM tasks',
    );
    const waits = rows.map((row) => row.wait);
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(50);
    expect(Math.max(...waits)).toBeLessThanOrEqual(100);
    expect(new Set(waits).size).toBeGreaterThan(30);
  });

  test('the worker may name the wait itself', async () => {
    const { id } = await create({ max_attempts: 2 });
    await t.engine.fail([failureOf((await claimOne(t.engine))!, { retry_after_seconds: 77 })]);
    const { run_at, updated_at } = await t.task(id);
    expect(Date.parse(run_at!) - Date.parse(updated_at)).toBe(77_000);
  });
});

describe('rescue', () => {
  test('a task whose lease expired is run again, and the crash is no attempt of the user', async () => {
    const { id } = await create({ max_attempts: 1 });
    await claimOne(t.engine);
    expect(await t.engine.rescue(limits)).toBe(0);
    await expireLeases();
    expect(await t.engine.rescue(limits)).toBe(1);
    const again = (await claimOne(t.engine))!;
    expect(again).toMatchObject({ id, attempt: 2 });
    expect(await t.task(id)).toMatchObject({ attempt: 2, uncounted_attempts: 1, rescues: 1 });
    expect(await t.engine.complete([{ ...leaseOf(again), result: null }])).toEqual(['completed']);
    expect(await t.database.api.queryText('SELECT attempt, status FROM attempts')).toEqual([{ attempt: 1, status: 'lost' }]);
  });

  test('a task that kills every worker fails as LEASE_LOST after its cap', async () => {
    const { id } = await create({ max_attempts: 1 });
    for (let lost = 0; lost <= limits.max_rescues; lost++) {
      await claimOne(t.engine);
      await expireLeases();
      expect(await t.engine.rescue(limits)).toBe(1);
    }
    expect(await t.task(id)).toMatchObject({ status: 'failed', error: { code: 'LEASE_LOST', attempt: 3 } });
  });

  test('a renewed lease is not rescued', async () => {
    await create();
    const task = (await claimOne(t.engine))!;
    await expireLeases();
    expect(await t.engine.heartbeat([leaseOf(task)], 30)).toEqual(['held']);
    expect(await t.engine.rescue(limits)).toBe(0);
  });
});

describe('cancel', () => {
  test('a waiting task ends at once', async () => {
    const { id } = await create({ start: 'manual' });
    expect(await t.engine.cancel({ tenant_id: 'default', id })).toMatchObject({ status: 'cancelled' });
  });

  test('a running one is told by its heartbeat, and ends when its worker answers', async () => {
    await create();
    const task = (await claimOne(t.engine))!;
    expect(await t.engine.cancel(task)).toMatchObject({ status: 'cancelling' });
    expect(await t.engine.heartbeat([leaseOf(task)], 30)).toEqual(['cancelling']);
    expect(await t.engine.fail([failureOf(task)])).toEqual(['cancelled']);
    expect(await t.task(task.id)).toMatchObject({ status: 'cancelled', error: null });
  });

  test('a worker that ignores it loses the lease after the grace period', async () => {
    await create();
    const task = (await claimOne(t.engine))!;
    await t.engine.cancel(task);
    expect(await t.engine.rescue(limits)).toBe(0);
    await t.database.api.queryText("UPDATE tasks SET cancel_requested_at = now() - interval '11 seconds'");
    expect(await t.engine.rescue(limits)).toBe(1);
    expect(await t.task(task.id)).toMatchObject({ status: 'cancelled' });
    expect(await t.engine.complete([{ ...leaseOf(task), result: 1 }])).toEqual(['lost']);
  });

  test('another tenant cannot', async () => {
    const { id } = await create();
    expect(await t.engine.cancel({ tenant_id: 'other', id })).toBeUndefined();
    expect(await t.task(id)).toMatchObject({ status: 'queued' });
  });
});

describe('hand-back and retry', () => {
  test('a released task is queued again without having used an attempt', async () => {
    await create({ max_attempts: 1 });
    expect(await t.engine.release([leaseOf((await claimOne(t.engine))!)])).toEqual(['queued']);
    const again = (await claimOne(t.engine))!;
    expect(again).toMatchObject({ attempt: 2 });
    expect(await t.task(again.id)).toMatchObject({ uncounted_attempts: 1, rescues: 0 });
    expect(await t.engine.fail([failureOf(again)])).toEqual(['failed']);
  });

  test('retry gives a fresh budget and keeps the history', async () => {
    const { id } = await create({ max_attempts: 2 });
    for (let attempt = 0; attempt < 2; attempt++) await t.engine.fail([failureOf((await claimOne(t.engine))!)]);
    expect(await t.engine.retry({ tenant_id: 'default', id })).toMatchObject({ status: 'queued', error: null, attempt: 2 });
    for (let attempt = 0; attempt < 2; attempt++) await t.engine.fail([failureOf((await claimOne(t.engine))!)]);
    expect(await t.task(id)).toMatchObject({ status: 'failed', attempt: 4 });
    const history = await t.database.api.queryText<{ attempt: number }>('SELECT attempt FROM attempts ORDER BY attempt');
    expect(history.map((row) => row.attempt)).toEqual([1, 2, 3]);
  });

  test('a task that was cancelled before it ever ran can be retried', async () => {
    const { id } = await create({ start: 'manual' });
    await t.engine.cancel({ tenant_id: 'default', id });
    expect(await t.engine.retry({ tenant_id: 'default', id })).toMatchObject({ status: 'queued', attempt: 0 });
  });
});

test('what is due joins the line and nothing else does', async () => {
  const { id } = await create({ run_at: new Date(Date.now() + 3_600_000).toISOString() });
  const due = await create({ run_at: new Date(Date.now() + 3_600_000).toISOString() });
  await t.database.api.queryText('UPDATE tasks SET run_at = now() WHERE id = $1', [due.id]);
  expect(await t.engine.stageDue(10)).toBe(1);
  expect(await t.task(due.id)).toMatchObject({ status: 'queued' });
  expect(await t.task(id)).toMatchObject({ status: 'scheduled' });
});

test('delete takes attempts and logs with it, but never a running task', async () => {
  const { id } = await create({ max_attempts: 2 });
  const task = (await claimOne(t.engine))!;
  await t.engine.appendLogs([{ ...leaseOf(task), level: 'info', message: 'hello', data: null }]);
  expect(await t.engine.remove({ tenant_id: 'default', id })).toBeUndefined();
  await t.engine.fail([failureOf(task)]);
  expect(await t.engine.remove({ tenant_id: 'default', id })).toMatchObject({ type: 'test', attempt: 1 });
  for (const table of ['tasks', 'attempts', 'task_logs']) expect(await t.database.api.queryText(`SELECT * FROM ${table}`)).toEqual([]);
  expect((await actions()).at(-1)).toBe('task_deleted');
});

test('what lists filter by follows a task from its create over its edit to its end', async () => {
  const filtersOf = (id: string) =>
    t.database.api.queryText('SELECT name, type, queue, priority, labels FROM task_filters WHERE id = $1', [id]);
  const fields = { name: 'before', queue: 'q1', labels: { team: 'a' } };
  const [row] = await t.engine.enqueue([newTask({ start: 'manual', ...fields })]);
  const ref = { tenant_id: row!.tenant_id, id: row!.id };
  expect(await filtersOf(ref.id)).toEqual([{ ...fields, type: 'test', priority: 'medium' }]);
  const edited = { name: 'after', type: 'other', queue: 'q2', priority: 'high', labels: { team: 'b' } } as const;
  await t.engine.update(ref, 1, { ...newTask({ start: 'manual' }), ...edited });
  expect(await filtersOf(ref.id)).toEqual([edited]);
  await t.engine.remove(ref);
  expect(await filtersOf(ref.id)).toEqual([]);
});
