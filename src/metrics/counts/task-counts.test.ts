import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { claimOne, failureOf, leaseOf, newTask, startTestEngine, type TestEngine } from '../../../test/support/engine.js';
import { pruneTasks } from '../../engine/loops/prune-tasks.js';
import type { ClaimedTask } from '../../engine/task-row.js';
import { EventLog } from '../../events/event-log.js';
import { taskStatuses } from '../../tasks/task.js';
import { durationBounds } from './duration-buckets.js';
import { TaskCounts } from './task-counts.js';

let t: TestEngine;
let otherLog: EventLog;
beforeAll(async () => {
  t = await startTestEngine();
  otherLog = new EventLog(t.database, t.wakeUps, (error) => t.errors.push(error));
  await otherLog.start();
});
afterAll(async () => {
  await otherLog.stop();
  await t.close();
});
beforeEach(() => t.database.api.queryText('TRUNCATE tasks, attempts, task_logs, task_counts, task_count_changes'));

const limits = { max_rescues: 1, cancel_grace_seconds: 10, limit: 100 };

/** The numbers of tasks by queue, type and status, without zeros, as `queue type status`. */
async function stored(counts: TaskCounts): Promise<Record<string, number>> {
  const rows = await counts.read();
  const ofStatus = rows.filter(({ name, value }) => (taskStatuses as readonly string[]).includes(name) && value !== 0);
  return Object.fromEntries(ofStatus.map(({ queue, type, name, value }) => [`${queue} ${type} ${name}`, value]));
}

async function actual(): Promise<Record<string, number>> {
  const rows = await t.database.api.queryText<{ key: string; count: number }>(
    `SELECT queue || ' ' || type || ' ' || status AS key, count(*) AS count FROM tasks GROUP BY 1`,
  );
  return Object.fromEntries(rows.map(({ key, count }) => [key, count]));
}

async function total(counts: TaskCounts, name: string): Promise<number> {
  return (await counts.read()).filter((row) => row.name === name).reduce((sum, { value }) => sum + value, 0);
}

test('counts are those of the table, whatever happens to tasks and whoever counts', async () => {
  // The more often, the more the others need it.
  const steps = [
    ...(['create', 'create', 'claim', 'claim', 'claim', 'complete', 'complete', 'fail', 'fail'] as const),
    ...(['execute', 'release', 'cancel', 'cancel', 'retry', 'move', 'remove', 'lose', 'stage', 'prune', 'fold'] as const),
  ];
  const seen = new Set<string>();
  const property = fc.asyncProperty(
    fc.array(fc.tuple(fc.constantFrom(...steps), fc.nat({ max: 5 })), { minLength: 5, maxLength: 60 }),
    async (run) => {
      const [one, two] = [new TaskCounts(t.database, t.eventLog), new TaskCounts(t.database, otherLog)];
      const ids: string[] = [];
      const leases: ClaimedTask[] = [];
      for (const [step, n] of run) {
        const id = ids[n % Math.max(1, ids.length)];
        // Mostly one that is still good; the others are stale.
        const lease = ['complete', 'fail', 'release'].includes(step) ? (n > 4 ? leases[0] : leases.pop()) : undefined;
        const ref = { tenant_id: 'default', id: id ?? '00000000-0000-0000-0000-000000000000' };
        if (step === 'create') {
          const task = newTask({ queue: `q${n % 2}`, start: n < 3 ? 'auto' : 'manual', max_attempts: 1 + (n % 2) });
          ids.push(task.id);
          await t.engine.enqueue([task]);
        }
        if (step === 'execute') await t.engine.execute(ref);
        if (step === 'claim') leases.push(...[await claimOne(t.engine)].filter((task) => task !== undefined));
        if (step === 'complete' && lease) await t.engine.complete([{ ...leaseOf(lease), result: {} }]);
        if (step === 'fail' && lease) await t.engine.fail([failureOf(lease, n > 3 ? { retry_after_seconds: 60 } : {})]);
        if (step === 'release' && lease) await t.engine.release([leaseOf(lease)]);
        if (step === 'cancel') await t.engine.cancel({ ...ref, id: (n < 3 && leases.at(-1)?.id) || ref.id });
        if (step === 'retry') await t.engine.retry(ref);
        if (step === 'move' && id) await move(id, `q${n % 3}`, n > 3 ? '2999-01-01T00:00:00.000Z' : null);
        if (step === 'remove') await t.engine.remove(ref);
        if (step === 'stage') await t.engine.stageDue(10);
        if (step === 'prune') await pruneTasks(t.database.loops, 0, 100);
        if (step === 'lose') {
          await t.database.api.queryText("UPDATE tasks SET lease_expires_at = now() - interval '1 s' WHERE lease_token IS NOT NULL");
          await t.engine.rescue(limits);
        }
        if (step === 'fold') await Promise.all([one.fold(), two.fold()]);
        for (const key of Object.keys(await actual())) seen.add(key.split(' ')[2]!);
      }
      await Promise.all([one.fold(), two.fold()]);
      expect(await stored(one)).toEqual(await actual());
      await t.database.api.queryText('TRUNCATE tasks, attempts, task_counts');
    },
  );
  // First through every status, then anywhere.
  const everywhere = (
    'create 0, claim 0, complete 0, create 1, claim 0, fail 0, claim 0, fail 0, create 0, claim 0, cancel 0, complete 0, ' +
    'create 3, create 1, claim 0, fail 4, fold 0'
  )
    .split(', ')
    .map((step): [(typeof steps)[number], number] => [step.slice(0, -2) as (typeof steps)[number], Number(step.slice(-1))]);
  await fc.assert(property, { numRuns: 50, endOnFailure: false, examples: [[everywhere]] });
  expect([...seen].toSorted()).toEqual(taskStatuses.filter((status) => status !== 'blocked').toSorted());
});

async function move(id: string, queue: string, run_at: string | null): Promise<void> {
  const row = await t.task(id).catch(() => undefined);
  if (row) await t.engine.update({ tenant_id: 'default', id }, row.version, { ...newTask(), queue, run_at });
}

test('what has happened is counted once, with its wait and its run', async () => {
  const counts = new TaskCounts(t.database, t.eventLog);
  await t.engine.enqueue([newTask({ max_attempts: 2 }), newTask()]);
  const first = (await claimOne(t.engine))!;
  await t.engine.fail([failureOf(first)]);
  await counts.fold();
  await t.engine.complete([{ ...leaseOf((await claimOne(t.engine))!), result: 1 }]);
  await t.engine.fail([failureOf((await claimOne(t.engine))!)]);
  await counts.fold();
  await counts.fold();
  const names = ['created_total', 'started_total', 'retried_total', 'completed_total', 'failed_total', 'lost_total'];
  expect(await Promise.all(names.map((name) => total(counts, name)))).toEqual([2, 3, 1, 1, 1, 0]);
  const buckets = (duration: string) =>
    Promise.all(Array.from({ length: durationBounds.length + 1 }, (_, bucket) => total(counts, `${duration}_bucket_${bucket}`)));
  expect((await buckets('wait')).reduce((sum, count) => sum + count)).toBe(3);
  expect((await buckets('run')).reduce((sum, count) => sum + count)).toBe(2);
  expect(await total(counts, 'wait_seconds_sum')).toBeGreaterThan(0);
});

test('a transaction that commits late is counted when it does, and nothing before it is lost', async () => {
  const counts = new TaskCounts(t.database, t.eventLog);
  const late = Promise.withResolvers<void>();
  const written = Promise.withResolvers<void>();
  const task = newTask();
  const slow = t.database.api.transaction(async (transaction) => {
    await t.engine.enqueueWithin(transaction, [task]);
    written.resolve();
    await late.promise;
  });
  await written.promise;
  await t.engine.enqueue([newTask()]);
  const folded = counts.fold();
  late.resolve();
  await slow;
  await folded;
  await counts.fold();
  expect(await stored(counts)).toEqual({ 'default test queued': 2 });
});

test('counts that are wrong are put right, while tasks go on', async () => {
  const counts = new TaskCounts(t.database, t.eventLog);
  await t.engine.enqueue([newTask(), newTask({ start: 'manual' })]);
  await counts.fold();
  await t.database.api.queryText("UPDATE task_counts SET value = 40 WHERE name = 'queued'");
  await t.database.api.queryText("UPDATE tasks SET queue = 'by-hand' WHERE status = 'pending'");
  // Not counted yet, and no mistake.
  await claimOne(t.engine);
  expect(await counts.reconcile()).toBe(3);
  await counts.fold();
  expect(await stored(counts)).toEqual(await actual());
  expect(await counts.reconcile()).toBe(0);
});
