import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ClaimedTask } from '../../src/engine/task-row.js';
import type { TaskStatus } from '../../src/tasks/task.js';
import { claimOne, failureOf, leaseOf, newTask, startTestEngine, type TestEngine } from '../support/engine.js';

/*
 * Random commands of clients, workers and sweeps against one task, beside a model of the life cycle in plain values.
 * After each command the stored row must be what the model says, so no illegal state is ever reached: whatever the
 * model does not foresee fails, and the table's CHECK constraints refuse what contradicts itself.
 */

const maxRescues = 2;
const limits = { max_rescues: maxRescues, cancel_grace_seconds: 10, limit: 100 };

interface Model {
  status: TaskStatus | 'gone';
  attempt: number;
  counted: number;
  maxAttempts: number;
  rescues: number;
  /** Leases that workers believe to hold; only the last claim's is real, and only while the task runs. */
  leases: ClaimedTask[];
}

interface Real {
  t: TestEngine;
  id: string;
}

/** Every state that some run was in. */
const visited = new Set<string>();

type Command = fc.AsyncCommand<Model, Real>;

function running(model: Model): boolean {
  return model.status === 'running' || model.status === 'cancelling';
}

/** A command: what it does for real, and what the model expects of it. Checked against the stored row afterwards. */
function command(name: string, act: (model: Model, real: Real) => Promise<void>): Command {
  return {
    check: () => true,
    toString: () => name,
    async run(model, real) {
      await act(model, real);
      visited.add(model.status);
      const [row] = await real.t.database.api.queryText<{ status: string; attempt: number; counted: number; rescues: number }>(
        'SELECT status, attempt, attempt - uncounted_attempts AS counted, rescues FROM tasks WHERE id = $1',
        [real.id],
      );
      if (model.status === 'gone') return expect(row).toBeUndefined();
      expect(row).toEqual({ status: model.status, attempt: model.attempt, counted: model.counted, rescues: model.rescues });
    },
  };
}

const ref = (real: Real) => ({ tenant_id: 'default', id: real.id });

const execute = command('execute', async (model, real) => {
  const row = await real.t.engine.execute(ref(real));
  expect(row !== undefined).toBe(model.status === 'pending');
  if (row) model.status = 'queued';
});

const cancel = command('cancel', async (model, real) => {
  const row = await real.t.engine.cancel(ref(real));
  expect(row !== undefined).toBe(['pending', 'scheduled', 'queued', 'running'].includes(model.status));
  if (row) model.status = model.status === 'running' ? 'cancelling' : 'cancelled';
});

const retry = command('retry', async (model, real) => {
  const row = await real.t.engine.retry(ref(real));
  expect(row !== undefined).toBe(model.status === 'failed' || model.status === 'cancelled');
  if (row) Object.assign(model, { status: 'queued', counted: 0, rescues: 0 });
});

const claim = command('claim', async (model, real) => {
  const task = await claimOne(real.t.engine);
  expect(task !== undefined).toBe(model.status === 'queued');
  if (!task) return;
  Object.assign(model, { status: 'running', attempt: model.attempt + 1, counted: model.counted + 1 });
  model.leases.push(task);
});

const stage = command('stage due', async (model, real) => {
  await real.t.database.api.queryText("UPDATE tasks SET run_at = now() WHERE status = 'scheduled'");
  expect(await real.t.engine.stageDue(10)).toBe(model.status === 'scheduled' ? 1 : 0);
  if (model.status === 'scheduled') model.status = 'queued';
});

const loseLease = command('worker dies', async (model, real) => {
  await real.t.database.api.queryText("UPDATE tasks SET lease_expires_at = now() - interval '1 s' WHERE lease_token IS NOT NULL");
  const wasRunning = running(model);
  expect(await real.t.engine.rescue(limits)).toBe(wasRunning ? 1 : 0);
  if (!wasRunning) return;
  model.status = model.status === 'cancelling' ? 'cancelled' : model.rescues >= maxRescues ? 'failed' : 'queued';
  Object.assign(model, { rescues: model.rescues + 1, counted: model.counted - 1 });
});

const remove = command('delete', async (model, real) => {
  const removed = await real.t.engine.remove(ref(real));
  expect(removed !== undefined).toBe(model.status !== 'gone' && !running(model));
  if (removed) model.status = 'gone';
});

/** Commands of a worker that holds, or only believes to hold, the lease of some earlier claim. */
function worker(name: string, which: number, act: (task: ClaimedTask, valid: boolean, model: Model, real: Real) => Promise<void>): Command {
  return command(`${name} with lease ${which}`, async (model, real) => {
    const task = model.leases.at(-1 - which);
    if (task) await act(task, which === 0 && running(model) && task.attempt === model.attempt, model, real);
  });
}

const complete = (which: number) =>
  worker('complete', which, async (task, valid, model, real) => {
    const expected = valid ? (model.status === 'cancelling' ? 'cancelled' : 'completed') : 'lost';
    expect(await real.t.engine.complete([{ ...leaseOf(task), result: { by: task.attempt } }])).toEqual([expected]);
    if (valid) model.status = expected as TaskStatus;
  });

const fail = (which: number, retryable: boolean, wait: boolean) =>
  worker(retryable ? 'fail' : 'fail for good', which, async (task, valid, model, real) => {
    const again = retryable && model.counted < model.maxAttempts;
    const expected = !valid ? 'lost' : model.status === 'cancelling' ? 'cancelled' : !again ? 'failed' : wait ? 'scheduled' : 'queued';
    expect(await real.t.engine.fail([failureOf(task, { retryable, ...(wait && { retry_after_seconds: 3_600 }) })])).toEqual([expected]);
    if (valid) model.status = expected as TaskStatus;
  });

const release = (which: number) =>
  worker('release', which, async (task, valid, model, real) => {
    const accepted = valid && model.status === 'running';
    expect(await real.t.engine.release([leaseOf(task)])).toEqual([accepted ? 'queued' : 'lost']);
    if (accepted) Object.assign(model, { status: 'queued', counted: model.counted - 1 });
  });

const heartbeat = (which: number) =>
  worker('heartbeat', which, async (task, valid, model, real) => {
    const expected = !valid ? 'lost' : model.status === 'cancelling' ? 'cancelling' : 'held';
    expect(await real.t.engine.heartbeat([leaseOf(task)], 30)).toEqual([expected]);
  });

let t: TestEngine;
beforeAll(async () => {
  t = await startTestEngine();
});
afterAll(() => t.close());

test('no sequence of commands takes a task anywhere but along the arrows', async () => {
  const which = fc.constantFrom(0, 0, 0, 1, 2);
  const commands = fc.commands(
    [
      ...[execute, cancel, retry, claim, claim, claim, stage, loseLease].map((one) => fc.constant(one)),
      fc.constant(remove),
      which.map(complete),
      fc.tuple(which, fc.boolean(), fc.boolean()).map((choice) => fail(...choice)),
      // The only way to `scheduled`, and a rare one among the others.
      which.map((lease) => fail(lease, true, true)),
      which.map(release),
      which.map(heartbeat),
    ],
    { maxCommands: 40 },
  );
  await fc.assert(
    fc.asyncProperty(
      commands,
      fc.constantFrom<'manual' | 'auto'>('manual', 'auto'),
      fc.integer({ min: 1, max: 3 }),
      async (run, start, maxAttempts) => {
        const task = newTask({ start, max_attempts: maxAttempts });
        await t.engine.enqueue([task]);
        const model: Model = {
          status: start === 'auto' ? 'queued' : 'pending',
          attempt: 0,
          counted: 0,
          maxAttempts,
          rescues: 0,
          leases: [],
        };
        await fc.asyncModelRun(() => ({ model, real: { t, id: task.id } }), run);
        await t.database.api.queryText('TRUNCATE tasks, attempts');
      },
    ),
    { numRuns: Number(process.env.PROPERTY_RUNS ?? 300), endOnFailure: false },
  );
  // The runs went somewhere: a generator that never gets past the first state would prove nothing.
  const all = ['pending', 'scheduled', 'queued', 'running', 'cancelling', 'completed', 'failed', 'cancelled', 'gone'];
  expect([...visited].toSorted()).toEqual(all.toSorted());
});
