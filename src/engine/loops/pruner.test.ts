import { afterEach, beforeEach, expect, test } from 'vitest';
import { claimOne, failureOf, leaseOf, newTask, startTestEngine, type TestEngine } from '../../../test/support/engine.js';
import { pruner } from './pruner.js';
import { pruneTasks } from './prune-tasks.js';

let t: TestEngine;
beforeEach(async () => {
  t = await startTestEngine();
});
afterEach(() => t.close());

const dayMs = 86_400_000;

/** An id of that many days ago. */
function agedId(days: number, index: number): string {
  const hex = (Date.now() - days * dayMs).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-${String(index).padStart(12, '0')}`;
}

const ids = async (table: string, column = 'id') => {
  const rows = await t.database.api.queryText<{ id: string }>(`SELECT DISTINCT ${column} AS id FROM ${table} ORDER BY 1`);
  return rows.map((row) => row.id);
};

test('a task leaves when its days after the end are over, with its attempts and logs; others stay', async () => {
  const [gone, young, open, foreign] = [agedId(40, 1), agedId(40, 2), agedId(40, 3), agedId(50, 4)];
  await t.engine.enqueue([
    newTask({ id: gone, max_attempts: 2 }),
    newTask({ id: young, max_attempts: 2 }),
    newTask({ id: open, type: 'other' }),
    newTask({ id: foreign, tenant_id: 'another', max_attempts: 2 }),
  ]);
  for (let attempt = 0; attempt < 6; attempt++) {
    const task = (await claimOne(t.engine))!;
    await t.engine.appendLogs([{ ...leaseOf(task), level: 'info', message: 'hello', data: null }]);
    await t.engine.fail([failureOf(task)]);
  }
  await t.database.api.queryText("UPDATE tasks SET finished_at = now() - interval '31 days' WHERE id = ANY($1::uuid[])", [[gone, foreign]]);
  expect(await pruneTasks(t.database.loops, 30, 100)).toBe(2);
  expect(await ids('tasks')).toEqual([young, open].toSorted());
  expect(await ids('attempts', 'task_id')).toEqual([young]);
  expect(await ids('task_logs', 'task_id')).toEqual([young]);
  expect(await pruneTasks(t.database.loops, 30, 100)).toBe(0);
});

test('a batch is bounded, and the duty says when there is more', async () => {
  await t.engine.enqueue(Array.from({ length: 700 }, (_, index) => newTask({ id: agedId(3, index), start: 'manual' })));
  for (const id of await ids('tasks')) await t.engine.cancel({ tenant_id: 'default', id });
  await t.database.api.queryText("UPDATE tasks SET finished_at = now() - interval '2 days'");
  const duty = pruner(t.database, () => ({ taskDays: 1, eventDays: 7, idempotencyHours: 24 }));
  expect(await duty.run()).toBe(true);
  expect(await ids('tasks')).toHaveLength(200);
  expect(await duty.run()).toBe(false);
  expect(await ids('tasks')).toEqual([]);
});

test('0 days keeps finished tasks for ever', async () => {
  const id = agedId(3_000, 1);
  await t.engine.enqueue([newTask({ id, start: 'manual' })]);
  await t.engine.cancel({ tenant_id: 'default', id });
  await t.database.api.queryText("UPDATE tasks SET finished_at = now() - interval '2900 days'");
  await pruner(t.database, () => ({ taskDays: 0, eventDays: 7, idempotencyHours: 24 })).run();
  expect(await ids('tasks')).toEqual([id]);
});

test('events leave from the old end, and whoever asks for them is told to start over', async () => {
  await t.engine.enqueue(Array.from({ length: 5 }, () => newTask()));
  await t.database.api.queryText("UPDATE events SET at = now() - interval '8 days' WHERE seq <= 3");
  await pruner(t.database, () => ({ taskDays: 30, eventDays: 7, idempotencyHours: 24 })).run();
  expect(await ids('events', 'seq')).toEqual([4, 5]);
  expect(await Promise.all([2, 3].map((since) => t.eventLog.canResumeFrom(since)))).toEqual([false, true]);
});
