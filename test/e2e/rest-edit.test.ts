import { randomUUIDv7 } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HandWorker } from '../support/hand-worker.js';
import { expectInvalid, expectProblem } from '../support/problem.js';
import { startTestServer, type TestServer } from '../support/server.js';

let server: TestServer;
let worker: HandWorker;
beforeAll(async () => {
  server = await startTestServer({ RUNNER_SLOTS: '0' });
  worker = new HandWorker(server);
});
afterAll(() => server.close());

const create = async (fields: object = {}) => (await server.api('POST', '/tasks', { name: 'first', ...fields })).body;
const get = async (id: string) => (await server.api('GET', `/tasks/${id}`)).body;
const put = (id: string, body: object, headers = {}) => server.api('PUT', `/tasks/${id}`, body, headers);
const patch = (id: string, body: object, headers = {}) => server.api('PATCH', `/tasks/${id}`, body, headers);
const future = '2999-01-01T00:00:00.000Z';
const past = '2001-01-01T00:00:00.000Z';

const custom = {
  type: 'sleep',
  queue: 'own',
  priority: 'high',
  parameters: { seconds: 1 },
  labels: { a: '1' },
  max_attempts: 7,
  timeout_seconds: 8,
  backoff: { kind: 'fixed', delay_seconds: 2, max_delay_seconds: 3, jitter: 0 },
};

describe('ids', () => {
  const verbs = (id: string) =>
    [
      ['GET', `/tasks/${id}`],
      ['PUT', `/tasks/${id}`, { name: 'x' }],
      ['PATCH', `/tasks/${id}`, {}],
      ['DELETE', `/tasks/${id}`],
      ['POST', `/tasks/${id}/execute`],
      ['POST', `/tasks/${id}/cancel`],
      ['POST', `/tasks/${id}/retry`],
      ['GET', `/tasks/${id}/attempts`],
      ['GET', `/tasks/${id}/logs`],
      ['GET', `/tasks/${id}/events`],
    ] as [string, string, object?][];

  test('an id that nobody has is 404 for every verb', async () => {
    const id = randomUUIDv7();
    for (const [method, path, body] of verbs(id)) {
      const answer = await server.api(method, path, body);
      expectProblem(answer, 'NOT_FOUND');
      expect(answer.body.detail).toContain(id);
    }
    expectProblem(await server.api('GET', `/tasks/${id}/events`, undefined, { accept: 'text/event-stream' }), 'NOT_FOUND');
    expectProblem(await server.api('POST', `/tasks/${id}/execute?wait=60`), 'NOT_FOUND');
  });

  test.each([
    '1',
    'x',
    'null',
    '..%2fhealth',
    '%00',
    '%F0%9F%98%80',
    '0'.repeat(36),
    `{${randomUUIDv7()}}`,
    randomUUIDv7().replaceAll('-', ''),
    `${randomUUIDv7()}0`,
    'a'.repeat(400),
  ])('%s is no id, for every verb', async (id) => {
    for (const [method, path, body] of verbs(id)) expectInvalid(await server.api(method, path, body), 'id');
  });

  test('an id in capitals is the same id', async () => {
    const { id } = await create();
    expect((await get(id.toUpperCase())).id).toBe(id);
    expect((await patch(id.toUpperCase(), { name: 'n' })).body).toMatchObject({ id, name: 'n' });
  });

  test('a task that was deleted is 404 for every verb from then on', async () => {
    const { id } = await create();
    const answer = await server.api('DELETE', `/tasks/${id}`);
    expect(answer).toMatchObject({ status: 204, body: '' });
    for (const [method, path, body] of verbs(id)) expectProblem(await server.api(method, path, body), 'NOT_FOUND');
  });
});

describe('PUT', () => {
  test('replaces every editable field; what is absent gets its default', async () => {
    const { id } = await create(custom);
    const answer = await put(id, { name: ' second ' });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('etag')).toBe('"2"');
    expect(answer.body).toMatchObject({
      id,
      name: 'second',
      type: 'echo',
      queue: 'default',
      priority: 'medium',
      parameters: {},
      labels: {},
      max_attempts: 1,
      timeout_seconds: 300,
      backoff: { kind: 'exponential', delay_seconds: 1, max_delay_seconds: 300, jitter: 0.2 },
      status: 'pending',
      version: 2,
    });
    expect(await get(id)).toEqual(answer.body);
  });

  test('needs a name', async () => expectInvalid(await put((await create()).id, {}), 'name'));

  test('leaves what is not editable as it was', async () => {
    const task = await create();
    const { body } = await put(task.id, { name: 'second', ...custom });
    expect(body).toEqual({ ...task, ...custom, name: 'second', version: 2, updated_at: body.updated_at });
    expect(Date.parse(body.updated_at)).toBeGreaterThanOrEqual(Date.parse(task.updated_at));
  });
});

describe('PATCH', () => {
  test('changes what is given and leaves the rest', async () => {
    const task = await create(custom);
    const { body } = await patch(task.id, { priority: 'low', backoff: { jitter: 0.5 } });
    expect(body).toEqual({
      ...task,
      priority: 'low',
      backoff: { ...custom.backoff, jitter: 0.5 },
      version: 2,
      updated_at: body.updated_at,
    });
    expect(await get(task.id)).toEqual(body);
  });

  test('merges parameters deeply: objects merge, null removes, anything else replaces (RFC 7396)', async () => {
    const { id } = await create({ parameters: { keep: 1, gone: { a: 1 }, deep: { keep: [1, 2], gone: 1, list: [1, 2] }, scalar: 1 } });
    const { body } = await patch(id, {
      parameters: { gone: null, never: null, deep: { gone: null, list: [null, 3], added: {} }, scalar: { now: { an: 'object' } } },
    });
    expect(body.parameters).toEqual({ keep: 1, deep: { keep: [1, 2], list: [null, 3], added: {} }, scalar: { now: { an: 'object' } } });
  });

  test('sets labels one by one, and null removes one', async () => {
    const { id } = await create({ labels: { a: '1', b: '2' } });
    const { body } = await patch(id, { labels: { a: null, c: '3', missing: null } });
    expect(body.labels).toEqual({ b: '2', c: '3' });
  });

  test('judges the outcome: labels and parameters may not pass their limits by being added to', async () => {
    const labels = (from: number, count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${from + index}`, 'x']));
    const { id } = await create({ labels: labels(0, 64), parameters: { a: 'x'.repeat(200_000) } });
    expectInvalid(await patch(id, { labels: labels(64, 1) }), 'labels');
    expectInvalid(await patch(id, { parameters: { b: 'x'.repeat(100_000) } }), 'parameters');
    expectInvalid(await patch(id, { type: 'http.request' }), 'parameters.url', 'parameters.a');
    expect(await get(id)).toMatchObject({ version: 1 });
    // What makes room in the same patch counts.
    expect((await patch(id, { labels: { ...labels(64, 1), k0: null } })).status).toBe(200);
    expect((await patch(id, { parameters: { a: null, b: 'x'.repeat(100_000) } })).status).toBe(200);
  });

  test('an empty patch is allowed', async () => expect((await patch((await create()).id, {})).status).toBe(200));

  test('two hundred patches at once all land', async () => {
    const { id } = await create({ parameters: { from: 'start' } });
    const answers = await inWaves(
      Array.from({ length: 200 }, (_, index) => () => patch(id, { parameters: { [`k${index}`]: index } })),
      8,
    );
    expect(answers.map(({ status }) => status).filter((status) => status !== 200)).toEqual([]);
    const { parameters, version } = await get(id);
    expect(parameters).toEqual({ from: 'start', ...Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`k${index}`, index])) });
    expect(version).toBe(201);
  });
});

describe('run_at decides where a waiting task waits', () => {
  test.each([
    ['pending', {}, { run_at: future }, 'scheduled'],
    ['pending', {}, { run_at: past }, 'queued'],
    ['pending', {}, { run_at: null }, 'pending'],
    ['scheduled', { run_at: future }, { run_at: null }, 'queued'],
    ['scheduled', { run_at: future }, { run_at: past }, 'queued'],
    ['scheduled', { run_at: future }, { run_at: '2998-01-01T00:00:00.000Z' }, 'scheduled'],
    ['queued', { start: 'auto' }, { run_at: future }, 'scheduled'],
    ['queued', { start: 'auto' }, { run_at: null }, 'queued'],
  ])('a %s task %j patched with %j is %s', async (before, fields, change, after) => {
    const task = await create(fields);
    expect(task.status).toBe(before);
    for (const answer of [await patch(task.id, change), await put(task.id, { name: 'n', ...change })]) {
      expect(answer.body).toMatchObject({ status: after, run_at: change.run_at });
      expect(answer.body.queued_at === null).toBe(after !== 'queued');
    }
  });

  test('a patch of something else leaves a task where it is', async () => {
    for (const fields of [{}, { run_at: future }, { start: 'auto' }, { run_at: past }]) {
      const task = await create(fields);
      const { body } = await patch(task.id, { name: 'other' });
      expect(body).toMatchObject({ status: task.status, run_at: task.run_at, queued_at: task.queued_at });
    }
  });
});

describe('If-Match', () => {
  const forms = (version: number) => [`"${version}"`, `W/"${version}"`, ` "${version}" `, String(version)];

  test('the current version lets PUT, PATCH and DELETE pass', async () => {
    for (const header of [...forms(1), '*']) {
      expect((await put((await create()).id, { name: 'x' }, { 'if-match': header })).body.version).toBe(2);
      expect((await patch((await create()).id, {}, { 'if-match': header })).body.version).toBe(2);
      expect((await server.api('DELETE', `/tasks/${(await create()).id}`, undefined, { 'if-match': header })).status).toBe(204);
    }
  });

  test('a version that is not the current one is 412, and nothing changes', async () => {
    const { id } = await create();
    await patch(id, { name: 'second' });
    for (const header of [...forms(1), '"3"', '"0"', '"999999999999999"']) {
      for (const [method, body] of [
        ['PUT', { name: 'x' }],
        ['PATCH', { name: 'x' }],
        ['DELETE', undefined],
      ] as const) {
        const answer = await server.api(method, `/tasks/${id}`, body, { 'if-match': header });
        expectProblem(answer, 'VERSION_MISMATCH');
        expect(answer.body.detail).toContain('version 2');
      }
    }
    expect(await get(id)).toMatchObject({ name: 'second', version: 2 });
  });

  test.each(['', '""', 'x', '"x"', '-1', '"1', '1.5', '"1", "2"', '"9999999999999999999"', 'W/1x'])(
    '%j is no ETag of ours, which is 400',
    async (header) => {
      const { id } = await create();
      expectInvalid(await put(id, { name: 'x' }, { 'if-match': header }), 'If-Match');
      expectInvalid(await patch(id, {}, { 'if-match': header }), 'If-Match');
      expectInvalid(await server.api('DELETE', `/tasks/${id}`, undefined, { 'if-match': header }), 'If-Match');
    },
  );

  test('of many writers that hold the same version one wins', async () => {
    const { id } = await create();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => patch(id, { name: `writer ${index}` }, { 'if-match': '"1"' })),
    );
    const statuses = answers.map(({ status }) => status).toSorted((a, b) => a - b);
    expect(statuses).toEqual([200, ...Array.from({ length: 19 }, () => 412)]);
    expect((await get(id)).name).toBe(answers.find(({ status }) => status === 200)!.body.name);
  });

  test('the ETag of an answer is the version of the body, on every verb', async () => {
    const { id } = await create();
    for (const [method, path, body] of [
      ['GET', '', undefined],
      ['PUT', '', { name: 'n' }],
      ['PATCH', '', {}],
      ['POST', '/execute', undefined],
      ['POST', '/cancel', undefined],
      ['POST', '/retry', undefined],
    ] as const) {
      const answer = await server.api(method, `/tasks/${id}${path}`, body);
      expect(answer.headers.get('etag')).toBe(`"${answer.body.version}"`);
    }
  });
});

describe('once an attempt has started', () => {
  async function refusesChanges(id: string, status: string) {
    for (const answer of [await put(id, { name: 'late' }), await patch(id, { name: 'late' }), await patch(id, {})]) {
      expectProblem(answer, 'CONFLICT');
      expect(answer.body.detail).toContain(status);
    }
    expect((await get(id)).name).toBe('first');
  }

  test('neither PUT nor PATCH change the task any more, whatever becomes of it', async () => {
    const { id } = await create({ start: 'auto', max_attempts: 2 });
    const first = await worker.claim(id);
    await refusesChanges(id, 'running');
    await worker.fail(first, { retryable: true, retry_after_seconds: 0 });
    await refusesChanges(id, 'queued');
    await worker.fail(await worker.claim(id));
    await refusesChanges(id, 'failed');
    await server.api('POST', `/tasks/${id}/retry`);
    await refusesChanges(id, 'queued');
    await worker.complete(await worker.claim(id));
    await refusesChanges(id, 'completed');
  });

  test('a task that was cancelled before it ran is not changed either', async () => {
    const { id } = await create();
    await server.api('POST', `/tasks/${id}/cancel`);
    await refusesChanges(id, 'cancelled');
  });

  test('a stale If-Match is told as such, before the state is', async () => {
    const { id } = await create({ start: 'auto' });
    await worker.claim(id);
    expectProblem(await patch(id, {}, { 'if-match': '"1"' }), 'VERSION_MISMATCH');
  });

  test('DELETE waits for the end: 409 while running or cancelling, 204 in every other state', async () => {
    const { id } = await create({ start: 'auto' });
    const attempt = await worker.claim(id);
    for (const status of ['running', 'cancelling']) {
      const answer = await server.api('DELETE', `/tasks/${id}`);
      expectProblem(answer, 'CONFLICT');
      expect(answer.body.detail).toContain(status);
      await server.api('POST', `/tasks/${id}/cancel`);
    }
    await worker.complete(attempt);
    expect((await get(id)).status).toBe('cancelled');
    expect((await server.api('DELETE', `/tasks/${id}`)).status).toBe(204);
    for (const fields of [{}, { start: 'auto' }, { run_at: future }]) {
      expect((await server.api('DELETE', `/tasks/${(await create(fields)).id}`)).status).toBe(204);
    }
  });
});

/** Runs all of them, `width` at a time. */
async function inWaves<T>(calls: (() => Promise<T>)[], width: number): Promise<T[]> {
  const results: T[] = [];
  for (let at = 0; at < calls.length; at += width) results.push(...(await Promise.all(calls.slice(at, at + width).map((call) => call()))));
  return results;
}
