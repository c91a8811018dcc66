import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../support/server.js';

let server: TestServer;
beforeAll(async () => {
  // Nothing runs here: what create answers is what stays.
  server = await startTestServer({ RUNNER_SLOTS: '0' });
});
afterAll(() => server.close());

const create = (body: object) => server.api('POST', '/tasks', body);
const day = 86_400_000;
const inOneDay = () => new Date(Date.now() + day).toISOString();

test('a name is all it takes; every other field has its documented default', async () => {
  const { status, headers, body } = await create({ name: 'plain' });
  expect(status).toBe(201);
  expect(body).toEqual({
    id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
    tenant_id: 'default',
    name: 'plain',
    type: 'echo',
    queue: 'default',
    priority: 'medium',
    status: 'pending',
    parameters: {},
    labels: {},
    result: null,
    error: null,
    progress: 0,
    progress_message: null,
    attempt: 0,
    max_attempts: 1,
    timeout_seconds: 300,
    backoff: { kind: 'exponential', delay_seconds: 1, max_delay_seconds: 300, jitter: 0.2 },
    run_at: null,
    worker_id: null,
    cancel_state: null,
    created_by: 'root',
    trace_id: null,
    created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    updated_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    queued_at: null,
    started_at: null,
    finished_at: null,
    version: 1,
  });
  expect(headers.get('location')).toBe(`/tasks/${body.id}`);
  expect(headers.get('etag')).toBe('"1"');
  expect(headers.get('content-type')).toMatch(/^application\/json/);
  expect(Math.abs(Date.parse(body.created_at) - Date.now())).toBeLessThan(30_000);
});

test('every field that is given is kept, and reads back the same', async () => {
  const given = {
    name: 'everything',
    type: 'sleep',
    queue: 'reports.eu-1',
    priority: 'critical',
    parameters: { seconds: 0.5, fail: true },
    labels: { team: 'reporting', 'app/part': 'a b', empty: '' },
    max_attempts: 100,
    timeout_seconds: 86_400,
    backoff: { kind: 'linear', delay_seconds: 0.5, max_delay_seconds: 604_800, jitter: 1 },
  };
  const { body } = await create(given);
  expect(body).toMatchObject(given);
  const read = await server.api('GET', `/tasks/${body.id}`);
  expect(read.body).toEqual(body);
});

test('a part of the backoff leaves the rest at its default', async () => {
  const { body } = await create({ name: 'b', backoff: { kind: 'fixed' } });
  expect(body.backoff).toEqual({ kind: 'fixed', delay_seconds: 1, max_delay_seconds: 300, jitter: 0.2 });
});

test('free parameters come back as they were sent, whatever JSON they hold', async () => {
  const parameters = {
    text: ' not trimmed \n\t\u0001 é e\u0301 😀',
    number: [0, -1.5, 1e300, 1e-7, 9_007_199_254_740_991],
    nothing: null,
    yes: true,
    '': 'the empty key',
    toString: 'a name that every object inherits',
    constructor: 'a word',
    hasOwnProperty: 1,
    nested: { a: [{ b: [[]] }, {}] },
  };
  const { status, body } = await create({ name: 'free', parameters });
  expect(status).toBe(201);
  expect(body.parameters).toEqual(parameters);
});

describe('text', () => {
  test('a name is trimmed and NFC-normalised', async () => {
    const { body } = await create({ name: ' \u00a0 cafe\u0301 \n' });
    expect(body.name).toBe('caf\u00e9');
  });

  test('255 characters fit, also when each of them takes two code units', async () => {
    for (const name of ['x'.repeat(255), '😀'.repeat(255), ` ${'y'.repeat(255)} `, 'e\u0301'.repeat(255)]) {
      const { status, body } = await create({ name });
      expect(status).toBe(201);
      expect([...body.name]).toHaveLength(255);
    }
  });
});

describe('where a new task waits', () => {
  test('start: auto puts it into its queue at once', async () => {
    const { body } = await create({ name: 'a', start: 'auto' });
    expect(body).toMatchObject({ status: 'queued', queued_at: expect.any(String), run_at: null });
    expect(body).not.toHaveProperty('start');
  });

  test('start: manual leaves it pending', async () => {
    const { body } = await create({ name: 'a', start: 'manual' });
    expect(body).toMatchObject({ status: 'pending', queued_at: null });
  });

  test.each(['auto', 'manual', undefined])('a run_at in the future schedules it (start: %s)', async (start) => {
    const run_at = inOneDay();
    const { body } = await create({ name: 'a', run_at, start });
    expect(body).toMatchObject({ status: 'scheduled', run_at, queued_at: null });
  });

  test('a run_at in the past queues it at once', async () => {
    const { body } = await create({ name: 'a', run_at: '1970-01-01T00:00:00Z' });
    expect(body).toMatchObject({ status: 'queued', run_at: '1970-01-01T00:00:00.000Z' });
  });

  test('run_at: null is the same as none', async () => {
    const { body } = await create({ name: 'a', run_at: null });
    expect(body).toMatchObject({ status: 'pending', run_at: null });
  });

  test.each([
    ['2999-01-01T00:00Z', '2999-01-01T00:00:00.000Z'],
    ['2999-01-01T00:00:00.123456789Z', '2999-01-01T00:00:00.123Z'],
    ['2999-01-01T00:00:00+05:30', '2998-12-31T18:30:00.000Z'],
    ['2999-01-01T00:00:00-11:00', '2999-01-01T11:00:00.000Z'],
    ['2999-01-01T00:00:00+23:59', '2998-12-31T00:01:00.000Z'],
    ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
  ])('the time %s is answered as %s', async (given, shown) => {
    const { status, body } = await create({ name: 'a', run_at: given });
    expect(status, JSON.stringify(body)).toBe(201);
    expect(body.run_at).toBe(shown);
  });
});
