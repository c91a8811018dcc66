import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HandWorker } from '../support/hand-worker.js';
import { expectProblem } from '../support/problem.js';
import { startTestServer, type TestServer } from '../support/server.js';

let server: TestServer;
let worker: HandWorker;
beforeAll(async () => {
  server = await startTestServer({ RUNNER_SLOTS: '0' });
  worker = new HandWorker(server);
});
afterAll(() => server.close());

const create = async (fields: object = {}) => (await server.api('POST', '/tasks', { name: 'a', ...fields })).body;
const act = (id: string, action: string) => server.api('POST', `/tasks/${id}/${action}`);
const get = async (id: string) => (await server.api('GET', `/tasks/${id}`)).body;
const attemptsOf = async (id: string) => (await server.api('GET', `/tasks/${id}/attempts`)).body.items;

/** How a task gets into each state; answers its id. */
const ways: Record<string, () => Promise<string>> = {
  pending: async () => (await create()).id,
  scheduled: async () => (await create({ run_at: '2999-01-01T00:00:00Z' })).id,
  queued: async () => (await create({ start: 'auto' })).id,
  running: async () => {
    const { id } = await create({ start: 'auto' });
    await worker.claim(id);
    return id;
  },
  cancelling: async () => {
    const id = await ways.running!();
    await act(id, 'cancel');
    return id;
  },
  completed: async () => {
    const { id } = await create({ start: 'auto' });
    await worker.complete(await worker.claim(id), { done: true });
    return id;
  },
  failed: async () => {
    const { id } = await create({ start: 'auto' });
    await worker.fail(await worker.claim(id));
    return id;
  },
  cancelled: async () => {
    const { id } = await create();
    await act(id, 'cancel');
    return id;
  },
};

/** What each action makes of each state; 409 where it is refused. */
const table = [
  ['pending', { execute: 'queued', cancel: 'cancelled', retry: 409 }],
  ['scheduled', { execute: 409, cancel: 'cancelled', retry: 409 }],
  ['queued', { execute: 409, cancel: 'cancelled', retry: 409 }],
  ['running', { execute: 409, cancel: 'cancelling', retry: 409 }],
  ['cancelling', { execute: 409, cancel: 'cancelling', retry: 409 }],
  ['completed', { execute: 409, cancel: 409, retry: 409 }],
  ['failed', { execute: 409, cancel: 409, retry: 'queued' }],
  ['cancelled', { execute: 409, cancel: 'cancelled', retry: 'queued' }],
] as const;

describe.each(table)('a task that is %s', (state, outcomes) => {
  test.each(Object.entries(outcomes))('%s → %s', async (action, outcome) => {
    const id = await ways[state]!();
    const before = await get(id);
    expect(before.status).toBe(state);
    const answer = await act(id, action);
    if (outcome === 409) {
      expectProblem(answer, 'CONFLICT');
      expect(answer.body.detail).toMatch(new RegExp(`^Task ${id} is ${state}; a task can be .* only while it is `));
      expect(await get(id)).toEqual(before);
    } else {
      expect(answer).toMatchObject({ status: 200, body: { id, status: outcome } });
      expect(answer.body.version).toBe(before.version + (outcome === state ? 0 : 1));
      expect(await get(id)).toEqual(answer.body);
    }
  });
});

describe('cancel', () => {
  test('of what does not run ends it at once, with nothing to show', async () => {
    for (const state of ['pending', 'scheduled', 'queued']) {
      const { body } = await act(await ways[state]!(), 'cancel');
      expect(body).toMatchObject({ finished_at: expect.any(String), started_at: null, result: null, error: null, attempt: 0 });
      expect(await attemptsOf(body.id)).toEqual([]);
    }
  });

  test('is idempotent: a second one changes nothing', async () => {
    for (const state of ['pending', 'running']) {
      const id = await ways[state]!();
      const first = await act(id, 'cancel');
      const second = await act(id, 'cancel');
      expect(second).toMatchObject({ status: 200, body: first.body });
    }
  });

  test('of a running task ends it cancelled, also when its attempt got to the end', async () => {
    const { id } = await create({ start: 'auto' });
    const attempt = await worker.claim(id);
    expect((await act(id, 'cancel')).body).toMatchObject({ status: 'cancelling', finished_at: null });
    await worker.complete(attempt, { too: 'late' });
    expect(await get(id)).toMatchObject({ status: 'cancelled', result: null, finished_at: expect.any(String) });
  });

  test('of twenty callers at once gives all of them the same cancelled task', async () => {
    const { id } = await create();
    const answers = await Promise.all(Array.from({ length: 20 }, () => act(id, 'cancel')));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(answers.map(({ body }) => body.version))).toEqual(new Set([2]));
  });
});

test('of twenty callers that execute one task at once one succeeds, and it is queued once', async () => {
  const { id } = await create();
  const answers = await Promise.all(Array.from({ length: 20 }, () => act(id, 'execute')));
  expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, ...Array.from({ length: 19 }, () => 409)]);
  expect((await get(id)).version).toBe(2);
});

describe('retry', () => {
  test('gives a fresh budget and keeps the history', async () => {
    const { id } = await create({ start: 'auto', max_attempts: 2 });
    const run = async () => worker.fail(await worker.claim(id), { retryable: true, retry_after_seconds: 0 });
    await run();
    expect((await get(id)).status).toBe('queued');
    await run();
    expect(await get(id)).toMatchObject({ status: 'failed', attempt: 2, error: { code: 'BY_HAND', attempt: 2 } });

    const { body } = await act(id, 'retry');
    expect(body).toMatchObject({
      status: 'queued',
      attempt: 2,
      max_attempts: 2,
      error: null,
      finished_at: null,
      started_at: null,
      progress: 0,
    });
    await run();
    expect((await get(id)).status).toBe('queued');
    await worker.complete(await worker.claim(id), { at: 'last' });

    expect(await get(id)).toMatchObject({ status: 'completed', attempt: 4, result: { at: 'last' }, error: null });
    const attempts = await attemptsOf(id);
    expect(attempts.map(({ attempt, status }: { attempt: number; status: string }) => [attempt, status])).toEqual([
      [1, 'failed'],
      [2, 'failed'],
      [3, 'failed'],
      [4, 'completed'],
    ]);
    for (const attempt of attempts)
      expect(attempt).toMatchObject({ worker_id: 'hand', started_at: expect.any(String), finished_at: expect.any(String) });
    expect(attempts.map(({ error }: { error: { attempt: number } | null }) => error?.attempt)).toEqual([1, 2, 3, undefined]);
  });

  test('of a task that was cancelled while it waited starts it for the first time', async () => {
    const id = await ways.scheduled!();
    await act(id, 'cancel');
    expect((await act(id, 'retry')).body).toMatchObject({ status: 'queued', run_at: null, attempt: 0 });
    await worker.complete(await worker.claim(id));
    expect((await attemptsOf(id)).map(({ attempt }: { attempt: number }) => attempt)).toEqual([1]);
  });

  test('of a task that was cancelled while it ran keeps that attempt as cancelled', async () => {
    const { id } = await create({ start: 'auto' });
    const attempt = await worker.claim(id);
    await act(id, 'cancel');
    await worker.complete(attempt);
    await act(id, 'retry');
    await worker.complete(await worker.claim(id));
    expect((await attemptsOf(id)).map(({ status }: { status: string }) => status)).toEqual(['cancelled', 'completed']);
  });

  test('again and again never uses the budget up', async () => {
    const id = await ways.failed!();
    for (let round = 2; round <= 6; round++) {
      expect((await act(id, 'retry')).status).toBe(200);
      await worker.fail(await worker.claim(id));
      expect(await get(id)).toMatchObject({ status: 'failed', attempt: round });
    }
    expect(await attemptsOf(id)).toHaveLength(6);
  });
});

test('the three times of a task are in order, and updated_at follows every change', async () => {
  const id = await ways.completed!();
  const { created_at, queued_at, started_at, finished_at, updated_at } = await get(id);
  const times = [created_at, queued_at, started_at, finished_at].map((time: string) => Date.parse(time));
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect(updated_at).toBe(finished_at);
});
