import { afterAll, beforeAll, expect, test } from 'vitest';
import { leaseOf, newTask, startTestEngine, type TestEngine } from '../support/engine.js';

let t: TestEngine;
beforeAll(async () => {
  t = await startTestEngine();
});
afterAll(() => t.close());

test('sixteen claimers at once never take a task twice, and together take them all', async () => {
  const total = 3_000;
  for (let start = 0; start < total; start += 500) await t.engine.enqueue(Array.from({ length: 500 }, () => newTask()));
  const takenBy = new Map<string, string>();
  const twice: string[] = [];
  await Promise.all(
    Array.from({ length: 16 }, async (_, index) => {
      const worker_id = `claimer ${index}`;
      for (;;) {
        const tasks = await t.engine.claim({ worker_ids: [worker_id], types: ['test'], limit: 1 + (index % 7), lease_seconds: 60 });
        if (!tasks.length) return;
        for (const task of tasks) {
          if (takenBy.has(task.id)) twice.push(task.id);
          takenBy.set(task.id, worker_id);
        }
        await t.engine.complete(tasks.map((task) => ({ ...leaseOf(task), result: null })));
      }
    }),
  );
  expect(twice).toEqual([]);
  expect(takenBy.size).toBe(total);
  expect(new Set(takenBy.values()).size).toBeGreaterThan(1);
  const events = await t.database.api.queryText<{ action: string; count: number }>(
    'SELECT action, count(*) FROM events GROUP BY action ORDER BY action',
  );
  expect(events).toEqual(['task_completed', 'task_created', 'task_started'].map((action) => ({ action, count: total })));
});

test('claims, results, cancels and sweeps of the same tasks do not deadlock, and every task reaches an end', async () => {
  await t.database.api.queryText('TRUNCATE tasks, events, attempts');
  const tasks = Array.from({ length: 400 }, () => newTask({ max_attempts: 3 }));
  await t.engine.enqueue(tasks);
  const limits = { max_rescues: 1_000, cancel_grace_seconds: 0, limit: 50 };
  let done = false;
  const workers = Array.from({ length: 6 }, async () => {
    while (!done) {
      const claimed = await t.engine.claim({ worker_ids: ['w'], types: ['test'], limit: 20, lease_seconds: 60 });
      const leases = claimed.map(leaseOf);
      await t.engine.heartbeat(leases.toReversed(), 60);
      const [lost, failed, ...rest] = leases;
      if (failed) await t.engine.fail([{ ...failed, code: 'X', message: 'x', retryable: true, retry_after_seconds: null }]);
      await t.engine.complete(rest.toReversed().map((lease) => ({ ...lease, result: null })));
      if (lost)
        await t.database.engine.queryText(
          "UPDATE tasks SET lease_expires_at = now() - interval '1 s' WHERE id = $1 AND lease_token IS NOT NULL",
          [lost.id],
        );
    }
  });
  const sweeper = (async () => {
    while (!done) await t.engine.rescue(limits);
  })();
  await Promise.all(tasks.filter((_, index) => index % 5 === 0).map((task) => t.engine.cancel(task)));
  const open = "SELECT count(*) AS count FROM tasks WHERE status NOT IN ('completed', 'failed', 'cancelled')";
  const deadline = Date.now() + 45_000;
  while ((await t.database.api.queryText<{ count: number }>(open))[0]!.count > 0 && Date.now() < deadline);
  done = true;
  await Promise.all([...workers, sweeper]);
  expect(await t.database.api.queryText(open)).toEqual([{ count: 0 }]);
});
