import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HandWorker } from '../support/hand-worker.js';
import { expectInvalid } from '../support/problem.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { until } from '../support/until.js';

let server: TestServer;
let worker: HandWorker;
beforeAll(async () => {
  server = await startTestServer({ RUNNER_SLOTS: '0' });
  worker = new HandWorker(server);
});
afterAll(() => server.close());

const create = async (fields: object = {}) => (await server.api('POST', '/tasks', { name: 'a', ...fields })).body;
const read = async (id: string, what: string, query = '') => (await server.api('GET', `/tasks/${id}/${what}${query}`)).body;

interface Event {
  seq: number;
  action: string;
  at: string;
  id: string;
  version?: number;
}

/** The task's events, once the tail of the log has come to the last of them. */
const eventsUpTo = (id: string, last: string) =>
  until(`the event ${last}`, async () => {
    const { items } = (await read(id, 'events')) as { items: Event[] };
    return items.at(-1)?.action === last && items;
  });

async function walk<Item>(id: string, what: string, limit: number): Promise<Item[][]> {
  const pages: Item[][] = [];
  for (let cursor: number | null = 0; cursor !== null;) {
    const page: { items: Item[]; next_cursor: number | null } = await read(id, what, `?limit=${limit}&cursor=${cursor}`);
    pages.push(page.items);
    cursor = page.next_cursor;
  }
  return pages;
}

test('a task that never ran has no attempts and no logs', async () => {
  const { id } = await create();
  for (const what of ['attempts', 'logs']) expect(await read(id, what)).toEqual({ items: [], next_cursor: null });
});

describe('attempts', () => {
  test('the running one is there, without an end', async () => {
    const { id } = await create({ start: 'auto' });
    await worker.claim(id);
    const { items } = await read(id, 'attempts');
    expect(items).toEqual([
      { attempt: 1, status: 'running', worker_id: 'hand', started_at: expect.any(String), finished_at: null, error: null },
    ]);
    await server.api('POST', `/tasks/${id}/cancel`);
    expect((await read(id, 'attempts')).items).toMatchObject([{ status: 'cancelling' }]);
  });

  test('come oldest first, page by page, each with its own error', async () => {
    const { id } = await create({ start: 'auto', max_attempts: 10 });
    for (let attempt = 1; attempt <= 10; attempt++) await worker.fail(await worker.claim(id), { retryable: true, retry_after_seconds: 0 });
    for (const limit of [1, 3, 9, 10, 11]) {
      const pages = await walk<{ attempt: number; error: object }>(id, 'attempts', limit);
      expect(pages.length).toBe(Math.ceil(10 / limit));
      expect(pages.flat().map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
      for (const { attempt, error } of pages.flat())
        expect(error).toEqual({ code: 'BY_HAND', message: expect.any(String), retryable: true, attempt });
    }
  });

  test('a wait between two attempts shows only the first of them', async () => {
    const { id } = await create({ start: 'auto', max_attempts: 2 });
    await worker.fail(await worker.claim(id), { retryable: true, retry_after_seconds: 3_600 });
    expect((await server.api('GET', `/tasks/${id}`)).body).toMatchObject({ status: 'scheduled', attempt: 1, error: { attempt: 1 } });
    expect((await read(id, 'attempts')).items).toMatchObject([{ attempt: 1, status: 'failed' }]);
  });

  test('those whose worker shut down or went silent are told apart, and do not count', async () => {
    const { id } = await create({ start: 'auto' });
    const { engine, database } = server.server.kernel;
    await engine.release([await worker.claim(id)]);
    await worker.claim(id);
    await database.api.queryText(`UPDATE tasks SET lease_expires_at = now() - interval '1 minute' WHERE id = $1`, [id]);
    await engine.rescue({ max_rescues: 5, cancel_grace_seconds: 10, limit: 100 });
    await until('it is in line again', async () => (await server.api('GET', `/tasks/${id}`)).body.status === 'queued');
    await worker.complete(await worker.claim(id));
    const { items } = await read(id, 'attempts');
    expect(items.map(({ status }: { status: string }) => status)).toEqual(['released', 'lost', 'completed']);
  });
});

describe('logs', () => {
  test('come in the order in which they were written, page by page, with their attempt', async () => {
    const { id } = await create({ start: 'auto', max_attempts: 2 });
    const first = await worker.claim(id);
    await worker.log(first, 'one', 'two', 'three');
    await worker.log(first, 'four');
    await worker.fail(first, { retryable: true, retry_after_seconds: 0 });
    await worker.log(first, 'too late: the lease is gone');
    const second = await worker.claim(id);
    await worker.log(second, 'five');
    for (const limit of [1, 2, 5, 200]) {
      const lines = (await walk<{ attempt: number; message: string }>(id, 'logs', limit)).flat();
      expect(lines.map(({ attempt, message }) => [attempt, message])).toEqual([
        [1, 'one'],
        [1, 'two'],
        [1, 'three'],
        [1, 'four'],
        [2, 'five'],
      ]);
    }
    const { items } = await read(id, 'logs', '?limit=1');
    expect(items[0]).toEqual({
      id: expect.any(Number),
      attempt: 1,
      level: 'info',
      message: 'one',
      data: { length: 3 },
      at: expect.stringMatching(/Z$/),
    });
  });

  test('of one task are not those of another, and go with their task', async () => {
    const [a, b] = [await create({ start: 'auto' }), await create({ start: 'auto' })];
    const attempt = await worker.claim(a.id);
    await worker.log(attempt, 'mine');
    expect((await read(b.id, 'logs')).items).toEqual([]);
    await worker.complete(attempt);
    await server.api('DELETE', `/tasks/${a.id}`);
    for (const table of ['task_logs', 'attempts']) {
      expect(await server.server.kernel.database.api.queryText(`SELECT FROM ${table} WHERE task_id = $1`, [a.id])).toEqual([]);
    }
  });
});

describe('events', () => {
  test('tell the whole story of a task, in order, without parameters and result', async () => {
    const { id } = await create({ parameters: { secret: 'p' }, labels: { k: 'v' }, max_attempts: 2 });
    await server.api('PATCH', `/tasks/${id}`, { name: 'b' });
    await server.api('POST', `/tasks/${id}/execute`);
    const attempt = await worker.claim(id);
    await server.server.kernel.engine.progress([{ ...attempt, progress: 50, progress_message: 'half' }]);
    await worker.log(attempt, 'a line');
    await worker.fail(attempt, { retryable: true, retry_after_seconds: 0 });
    await worker.complete(await worker.claim(id), { secret: 'r' });
    const events = await eventsUpTo(id, 'task_completed');
    expect(events.map(({ action }) => action)).toEqual([
      'task_created',
      'task_updated',
      'task_queued',
      'task_started',
      'task_progress',
      'task_log',
      'task_queued',
      'task_started',
      'task_completed',
    ]);
    const seqs = events.map(({ seq }) => seq);
    expect(seqs).toEqual([...new Set(seqs)].toSorted((a, b) => a - b));
    expect(events.every((event) => event.id === id && event.at.endsWith('Z'))).toBe(true);
    expect(events.map(({ version }) => version).filter((version) => version !== undefined)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(events[4]).toMatchObject({ status: 'running', progress: 50, progress_message: 'half', attempt: 1, worker_id: 'hand' });
    expect(events[5]).toMatchObject({ log: { level: 'info', message: 'a line', data: { length: 6 } } });
    expect(events[6]).toMatchObject({ status: 'queued', error: { code: 'BY_HAND', attempt: 1 } });
    expect(JSON.stringify(events)).not.toContain('secret');
  });

  test('come page by page', async () => {
    const { id } = await create();
    for (let index = 0; index < 9; index++) await server.api('PATCH', `/tasks/${id}`, { name: `n${index}` });
    await server.api('POST', `/tasks/${id}/cancel`);
    const all = await eventsUpTo(id, 'task_cancelled');
    expect(all).toHaveLength(11);
    for (const limit of [1, 4, 10, 11, 12]) {
      const pages = await walk<Event>(id, 'events', limit);
      expect(pages.flat()).toEqual(all);
      expect(pages.length).toBe(Math.ceil(11 / limit));
    }
    expect((await read(id, 'events', `?cursor=${all[4]!.seq}`)).items).toEqual(all.slice(5));
  });
});

describe('page parameters', () => {
  test.each(['attempts', 'logs', 'events'])('of %s are checked by name', async (what) => {
    const { id } = await create();
    for (const limit of ['', '0', '201', '-1', 'x', '1.5', '1&limit=2'])
      expectInvalid(await server.api('GET', `/tasks/${id}/${what}?limit=${limit}`), 'limit');
    for (const cursor of ['', '-1', 'x', '1.5', id, '99999999999999999999', '1&cursor=2']) {
      expectInvalid(await server.api('GET', `/tasks/${id}/${what}?cursor=${cursor}`), 'cursor');
    }
    expectInvalid(await server.api('GET', `/tasks/${id}/${what}?order=asc`), 'order');
    expect(await read(id, what, `?cursor=${Number.MAX_SAFE_INTEGER}`)).toEqual({ items: [], next_cursor: null });
  });
});
