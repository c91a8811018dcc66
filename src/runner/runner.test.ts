import pg from 'pg';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { newTask, startTestEngine, type TestEngine } from '../../test/support/engine.js';
import { startRunnerOn, type RunnerChanges } from '../../test/support/runner.js';
import { until } from '../../test/support/until.js';
import { Loop } from '../engine/loops/loop.js';
import { rescuer } from '../engine/loops/rescuer.js';
import type { NewTask } from '../engine/task-row.js';
import { FreeParameters } from '../handlers/free-parameters.js';
import { TaskFailure, type Handler, type HandlerContext } from '../handlers/handler.js';
import type { Json } from '../tasks/task.js';
import type { Stop } from './attempt.js';
import type { Runner } from './runner.js';

let t: TestEngine;
const runners: Runner[] = [];
beforeEach(async () => {
  t = await startTestEngine();
});
afterEach(async () => {
  await Promise.all(runners.splice(0).map((runner) => runner.stop(0)));
  await t.close();
});

type Run = (context: HandlerContext<FreeParameters>) => Promise<Json | void>;

function handler(run: Run): Handler<FreeParameters> {
  return { type: 'test', description: 'Does what the test says.', parameters: FreeParameters, run };
}

function startRunner(run: Run, options?: RunnerChanges) {
  const started = startRunnerOn(t, handler(run), options);
  runners.push(started.runner);
  return started;
}

async function create(fields: Partial<NewTask> = {}) {
  const task = newTask(fields);
  await t.engine.enqueue([task]);
  return task.id;
}

const reaches = (id: string, status: string) => until(`task to be ${status}`, async () => (await t.task(id)).status === status);

/** Resolves when the handler's signal is aborted, with the reason. */
const stopped = (signal: AbortSignal) =>
  new Promise<Stop>((resolve) => signal.addEventListener('abort', () => resolve(signal.reason as Stop)));

describe('outcomes', () => {
  test('what the handler returns is the result', async () => {
    startRunner(async ({ task }) => ({ got: task.parameters, attempt: task.attempt }));
    const id = await create({ parameters: { a: 1 } });
    await reaches(id, 'completed');
    expect(await t.task(id)).toMatchObject({ result: { got: { a: 1 }, attempt: 1 }, worker_id: 'runner' });
  });

  test('an error is a retryable failure, a TaskFailure says for itself', async () => {
    const { errors } = startRunner(async ({ task }) => {
      if (task.name === 'plain') throw new Error(`plain attempt ${task.attempt}`);
      throw new TaskFailure('NO_SUCH_ROOM', 'room 7 is gone', { retryable: false });
    });
    const plain = await create({ name: 'plain', max_attempts: 2 });
    const final = await create({ name: 'final', max_attempts: 5 });
    await reaches(plain, 'failed');
    await reaches(final, 'failed');
    expect(await t.task(plain)).toMatchObject({
      attempt: 2,
      error: { code: 'HANDLER_ERROR', message: 'plain attempt 2', retryable: true },
    });
    expect(await t.task(final)).toMatchObject({ attempt: 1, error: { code: 'NO_SUCH_ROOM', message: 'room 7 is gone', retryable: false } });
    expect(errors).toEqual([]);
  });

  test.each([
    ['NUL in a string', 'a\0b'],
    ['an unpaired surrogate', '\ud800'],
    ['something that is no JSON', (() => 1) as unknown as Json],
    ['more than 1 MiB', 'x'.repeat(1024 * 1024)],
    ['not a finite number', Number.NaN],
  ])('a result that cannot be stored fails the attempt and says why: %s', async (_, result) => {
    startRunner(async () => ({ result }));
    const id = await create({ max_attempts: 3 });
    await reaches(id, 'failed');
    expect(await t.task(id)).toMatchObject({ attempt: 1, error: { code: 'RESULT_NOT_STORABLE', retryable: false } });
  });

  test('an error message with NUL is still stored', async () => {
    startRunner(async () => {
      throw new Error('bad \0 byte');
    });
    const id = await create();
    await reaches(id, 'failed');
    expect((await t.task(id)).error?.message).toBe('bad \ufffd byte');
  });
});

describe('progress and logs', () => {
  test('progress is stored while the attempt runs, and the last report before its end', async () => {
    const go = Promise.withResolvers<void>();
    startRunner(async ({ progress }) => {
      progress(10, 'started');
      progress(40, 'almost half');
      await go.promise;
    });
    const id = await create();
    await until('progress', async () => (await t.task(id)).progress === 40);
    expect(await t.task(id)).toMatchObject({ status: 'running', progress_message: 'almost half' });
    go.resolve();
    await reaches(id, 'completed');
  });

  test('log lines keep their order and outlive a failing attempt', async () => {
    startRunner(async ({ log }) => {
      for (let line = 1; line <= 30; line++) log('info', `line ${line}`, { line });
      throw new Error('the end');
    });
    const id = await create();
    await reaches(id, 'failed');
    const lines = await t.database.api.queryText<{ message: string }>('SELECT message FROM task_logs ORDER BY id');
    expect(lines.map((row) => row.message)).toEqual(Array.from({ length: 30 }, (_, index) => `line ${index + 1}`));
  });
});

describe('stopping an attempt', () => {
  test('a timeout aborts the signal, and counts as a failed attempt', async () => {
    startRunner(async ({ signal }) => {
      throw await stopped(signal);
    });
    const id = await create({ timeout_seconds: 1 });
    await reaches(id, 'failed');
    expect((await t.task(id)).error).toMatchObject({
      code: 'TIMEOUT',
      message: 'The attempt took longer than 1 seconds.',
      retryable: true,
    });
  });

  test('a handler that ignores its signal is no longer waited for after the grace period', async () => {
    startRunner(() => new Promise(() => undefined), { cancelGraceSeconds: 1 });
    const id = await create({ timeout_seconds: 1 });
    await reaches(id, 'failed');
    expect((await t.task(id)).error?.code).toBe('TIMEOUT');
  });

  test('a cancel reaches the handler by a wake-up, long before the next heartbeat', async () => {
    const reasons: string[] = [];
    startRunner(
      async ({ signal }) => {
        const reason = await stopped(signal);
        reasons.push(reason.code);
        throw reason;
      },
      { leaseSeconds: 3_000 },
    );
    const id = await create();
    await reaches(id, 'running');
    await t.engine.cancel({ tenant_id: 'default', id });
    await reaches(id, 'cancelled');
    expect(reasons).toEqual(['CANCELLED']);
  });

  test('an attempt whose lease was taken back is aborted, and its late result changes nothing', async () => {
    const reasons: string[] = [];
    let attempts = 0;
    startRunner(
      async ({ signal }) => {
        if (++attempts > 1) return 'second';
        reasons.push((await stopped(signal)).code);
        return 'first';
      },
      { leaseSeconds: 2 },
    );
    const id = await create();
    await reaches(id, 'running');
    await t.database.api.queryText("UPDATE tasks SET lease_expires_at = now() - interval '1 s' WHERE id = $1", [id]);
    expect(await t.engine.rescue({ max_rescues: 5, cancel_grace_seconds: 10, limit: 10 })).toBe(1);
    await reaches(id, 'completed');
    await until('the first attempt to be told', () => reasons.length > 0);
    expect(reasons).toEqual(['LEASE_LOST']);
    expect(await t.task(id)).toMatchObject({ result: 'second', attempt: 2 });
  });

  test('a lease is renewed as long as the attempt runs', async () => {
    const go = Promise.withResolvers<void>();
    startRunner(() => go.promise, { leaseSeconds: 1 });
    const leader = { isLeader: true } as ConstructorParameters<typeof Loop>[1];
    const loop = new Loop(
      rescuer(t.engine, () => ({ max_rescues: 0, cancel_grace_seconds: 10 })),
      leader,
      (_, error) => t.errors.push(error),
    );
    loop.start();
    const id = await create();
    await reaches(id, 'running');
    const first = (await t.task(id)).lease_expires_at!;
    // Two seconds beyond the first lease, by the database's own clock.
    await until(
      'the lease to be renewed again and again',
      async () => Date.parse((await t.task(id)).lease_expires_at!) > Date.parse(first) + 2_000,
    );
    expect(await t.task(id)).toMatchObject({ status: 'running', attempt: 1 });
    go.resolve();
    await reaches(id, 'completed');
    await loop.stop();
  });
});

describe('shutdown', () => {
  /** The row says `running` a moment before the handler runs. */
  let started: PromiseWithResolvers<void>;
  beforeEach(() => {
    started = Promise.withResolvers();
  });
  const begun = <T>(end: Promise<T>): Promise<T> => {
    started.resolve();
    return end;
  };

  test('running attempts may finish in their time', async () => {
    const go = Promise.withResolvers<void>();
    const { runner } = startRunner(() => begun(go.promise), { slots: 1 });
    const id = await create();
    await started.promise;
    const stopping = runner.stop(60_000);
    const late = await create();
    go.resolve();
    await stopping;
    expect(await t.task(id)).toMatchObject({ status: 'completed' });
    expect(await t.task(late)).toMatchObject({ status: 'queued' });
  });

  test('what does not finish is handed back without having used an attempt', async () => {
    const reasons: string[] = [];
    const { runner } = startRunner(async ({ signal }) => {
      started.resolve();
      reasons.push((await stopped(signal)).code);
    });
    const id = await create();
    await started.promise;
    await runner.stop(60_000, AbortSignal.abort());
    expect(await t.task(id)).toMatchObject({ status: 'queued', attempt: 1, uncounted_attempts: 1 });
    expect(reasons).toEqual(['SHUTDOWN']);
  });

  test('a task that was being cancelled is not handed back', async () => {
    const { runner } = startRunner(() => begun(new Promise(() => undefined)));
    const id = await create();
    await started.promise;
    await t.engine.cancel({ tenant_id: 'default', id });
    await runner.stop(0);
    expect(await t.task(id)).toMatchObject({ status: 'cancelled' });
  });
});

test('while the database is away the outcome is kept, and stored when it is back', async () => {
  const go = Promise.withResolvers<void>();
  const { errors } = startRunner(async () => {
    await go.promise;
    return 'kept';
  });
  const id = await create();
  await reaches(id, 'running');
  // No new connections, and the old ones cut: what an outage of the database looks like from here.
  const name = new URL(t.url).pathname.slice(1);
  const admin = new pg.Client({ connectionString: inject('postgresUrl') });
  await admin.connect();
  await admin.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`);
  await admin.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND application_name = 'arkitect engine'", [
    name,
  ]);
  go.resolve();
  await until('the outage to be met', () => errors.some(([message]) => message.includes(`outcome of task ${id}`)));
  await admin.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`);
  await admin.end();
  await reaches(id, 'completed');
  expect(await t.task(id)).toMatchObject({ result: 'kept', attempt: 1 });
});

describe('a task that is created while a slot is free', () => {
  const actionsOf = async (id: string) =>
    (await t.eventLog.readTask({ tenant_id: 'default', id }, 0)).map(({ action, data }) => [action, data.status, data.version]);

  test('starts in the statement that creates it; the answer and the first event tell what it was before', async () => {
    const { promise: go, resolve } = Promise.withResolvers<void>();
    startRunner(() => go);
    await until('the first look at the line', () => idle());
    const [row] = await t.engine.enqueue([newTask()]);
    const { id } = row!;
    expect(row).toMatchObject({ status: 'queued', version: 1, attempt: 0, started_at: null, lease_token: null });
    expect(await t.task(id)).toMatchObject({ status: 'running', version: 2, attempt: 1, worker_id: 'runner', started_at: row!.queued_at });
    resolve();
    await reaches(id, 'completed');
    expect(await actionsOf(id)).toEqual([
      ['task_created', 'queued', 1],
      ['task_started', 'running', 2],
      ['task_completed', 'completed', 3],
    ]);
  });

  test('does so for the most urgent, and only of those that are to start and that the runner has a handler for', async () => {
    const { promise: go, resolve } = Promise.withResolvers<void>();
    startRunner(() => go, { slots: 2 });
    await until('the first look at the line', () => idle());
    const names = ['low', 'other type', 'later', 'manual', 'high', 'critical'];
    const tasks = [
      newTask({ priority: 'low' }),
      newTask({ type: 'other' }),
      newTask({ run_at: new Date(Date.now() + 3_600_000).toISOString() }),
      newTask({ start: 'manual' }),
      newTask({ priority: 'high' }),
      newTask({ priority: 'critical' }),
    ];
    const rows = await t.engine.enqueue(tasks);
    expect(rows.map(({ status }) => status)).toEqual(['queued', 'queued', 'scheduled', 'pending', 'queued', 'queued']);
    const stored = await Promise.all(rows.map(({ id }) => t.task(id)));
    expect(names.filter((_, index) => stored[index]!.status === 'running')).toEqual(['high', 'critical']);
    resolve();
    await reaches(rows[0]!.id, 'completed');
  });

  test('does not overtake what waits in line', async () => {
    const { promise: go, resolve } = Promise.withResolvers<void>();
    const order: string[] = [];
    startRunner(
      async ({ task }) => {
        order.push(task.name);
        await go;
      },
      { slots: 1 },
    );
    await create({ name: 'first' });
    await create({ name: 'second' });
    await until('the first to run', () => order.length === 1);
    const third = await create({ name: 'third' });
    resolve();
    await reaches(third, 'completed');
    expect(order).toEqual(['first', 'second', 'third']);
  });

  test('is handed back when the runner stops meanwhile', async () => {
    const { runner } = startRunner(async () => undefined);
    await until('the first look at the line', () => idle());
    const creating = t.engine.enqueue([newTask()]);
    await runner.stop(0);
    const [row] = await creating;
    expect(await t.task(row!.id)).toMatchObject({ status: 'queued', attempt: 1, uncounted_attempts: 1, lease_token: null });
  });
});

/** The claim with which a runner begins has been answered. */
async function idle(): Promise<boolean> {
  const rows = await t.database.api.queryText(
    "SELECT 1 FROM pg_stat_activity WHERE application_name = 'arkitect engine' AND datname = current_database() AND state = 'idle' AND query LIKE '%SKIP LOCKED%'",
  );
  return rows.length > 0;
}
