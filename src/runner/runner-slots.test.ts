import { afterEach, beforeEach, expect, test } from 'vitest';
import { newTask, startTestEngine, type TestEngine } from '../../test/support/engine.js';
import { startRunnerOn, type RunnerChanges } from '../../test/support/runner.js';
import { until } from '../../test/support/until.js';
import { FreeParameters } from '../handlers/free-parameters.js';
import type { Json } from '../tasks/task.js';
import type { Runner } from './runner.js';

let t: TestEngine;
let runner: Runner;
beforeEach(async () => {
  t = await startTestEngine();
});
afterEach(async () => {
  await runner.stop(0);
  await t.close();
});

function startRunner(run: () => Promise<Json | void>, options: RunnerChanges) {
  const handler = { type: 'test', description: 'Does what the test says.', parameters: FreeParameters, run };
  const started = startRunnerOn(t, handler, options);
  runner = started.runner;
  return started;
}

async function created(count: number) {
  const tasks = Array.from({ length: count }, () => newTask());
  await t.engine.enqueue(tasks);
  return tasks;
}

test('no more attempts run at once than there are slots, and a free slot is filled at once', async () => {
  let running = 0;
  let most = 0;
  startRunner(
    async () => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
    },
    { slots: 3 },
  );
  await created(60);
  await until('all to be done', async () => {
    const [row] = await t.database.api.queryText<{ count: number }>("SELECT count(*) AS count FROM tasks WHERE status = 'completed'");
    return row!.count === 60;
  });
  expect(most).toBe(3);
});

test('with fewer slots than run, what ends is not followed until there is room; with more, there is at once', async () => {
  const ends: (() => void)[] = [];
  const { resize } = startRunner(() => new Promise((resolve) => ends.push(resolve)), { slots: 4 });
  await created(12);
  const count = async (status: string) =>
    (await t.database.api.queryText<{ count: number }>('SELECT count(*) AS count FROM tasks WHERE status = $1', [status]))[0]!.count;
  const completed = (wanted: number) => until(`${wanted} completed`, async () => (await count('completed')) === wanted);
  await until('four to run', () => ends.length === 4);
  resize(1);
  for (let done = 1; done <= 3; done++) {
    ends[done - 1]!();
    await completed(done);
    expect(await count('running')).toBe(4 - done);
  }
  ends[3]!();
  await until('the next one to run', () => ends.length === 5);
  expect(await count('running')).toBe(1);
  resize(3);
  await until('two more to run', () => ends.length === 7);
  for (let end = 4; end < 12; end++) {
    await until('it to run', () => ends.length > end);
    ends[end]!();
  }
  await completed(12);
});

test('a runner without slots runs nothing', async () => {
  const { runner } = startRunner(async () => 'never', { slots: 0 });
  const [task] = await created(1);
  await runner.stop(0);
  expect(await t.task(task!.id)).toMatchObject({ status: 'queued' });
});
