import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectInvalid } from '../support/problem.js';
import { startTestServer, type TestServer } from '../support/server.js';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ RUNNER_SLOTS: '0' });
});
afterAll(() => server.close());

const bulk = (body: unknown, headers = {}) => server.api('POST', '/tasks/bulk', body, headers);
const countOf = async (queue: string) => (await server.api('GET', `/tasks?queue=${queue}&limit=200`)).body.items.length;

test('good tasks are created in the order of the request, and each is as create would answer it', async () => {
  const tasks = [
    { name: 'a' },
    { name: ' b ', start: 'auto', priority: 'high' },
    { name: 'c', run_at: '2999-01-01T00:00:00Z', labels: { k: 'v' } },
  ];
  const { status, body } = await bulk({ tasks });
  expect(status).toBe(201);
  expect(body).toMatchObject({ created: 3, failed: 0 });
  expect(
    body.items.map(({ index, task }: { index: number; task: { name: string; status: string } }) => [index, task.name, task.status]),
  ).toEqual([
    [0, 'a', 'pending'],
    [1, 'b', 'queued'],
    [2, 'c', 'scheduled'],
  ]);
  for (const { task } of body.items) expect((await server.api('GET', `/tasks/${task.id}`)).body).toEqual(task);
});

test('a bad task is answered with its errors beside the good ones, in order', async () => {
  const queue = 'mixed';
  const { status, body } = await bulk({
    tasks: [
      { name: 'good', queue },
      { name: '', queue, priority: 'urgent' },
      null,
      'text',
      [],
      { name: 'good', queue },
      { name: 'typed', queue, type: 'no.such' },
      { name: 'x', queue, type: 'http.request', parameters: { url: 1 } },
      { name: 'x', queue, depends_on: [], unique_key: 'k' },
      {},
      { name: 'x', queue, parameters: { a: ['\0'] } },
      { name: 'x', queue, backoff: { jitter: 2 } },
      { name: 'last', queue },
    ],
  });
  expect(status).toBe(207);
  expect(body).toMatchObject({ created: 3, failed: 10 });
  expect(body.items.map(({ index }: { index: number }) => index)).toEqual(Array.from({ length: 13 }, (_, index) => index));
  const outcome = body.items.map(({ task, error }: { task?: { name: string }; error?: { code: string; errors: { field: string }[] } }) => {
    if (task) return task.name;
    expect(error!.code).toBe('VALIDATION_FAILED');
    return error!.errors.map(({ field }) => field).toSorted();
  });
  expect(outcome).toEqual([
    'good',
    ['name', 'priority'],
    ['body'],
    ['body'],
    ['body'],
    'good',
    ['type'],
    ['parameters.url'],
    ['depends_on', 'unique_key'],
    ['name'],
    ['parameters.a[0]'],
    ['backoff.jitter'],
    'last',
  ]);
  for (const { error } of body.items) if (error) expect(error.detail).toContain(error.errors[0].message);
  expect(await countOf(queue)).toBe(3);
});

test('when every task is bad nothing is created, and each is told why', async () => {
  const { status, body } = await bulk({ tasks: [{ name: '' }, {}] });
  expect(status).toBe(207);
  expect(body).toMatchObject({ created: 0, failed: 2 });
});

test('atomic: one bad task refuses them all, naming its fields by their place', async () => {
  const queue = 'atomic';
  const tasks = [
    { name: 'a', queue },
    { name: 'b', queue },
    { name: 'c', queue },
    { name: '', queue },
    { name: 'd', queue, type: 'sleep' },
    { name: 'e', queue, backoff: { kind: 1 } },
    7,
  ];
  const answer = await bulk({ tasks, atomic: true });
  expectInvalid(answer, 'tasks[3].name', 'tasks[4].parameters.seconds', 'tasks[5].backoff.kind', 'tasks[6].body');
  expect(await countOf(queue)).toBe(0);
  const good = await bulk({ tasks: tasks.slice(0, 3), atomic: true });
  expect(good).toMatchObject({ status: 201, body: { created: 3, failed: 0 } });
  expect(await countOf(queue)).toBe(3);
});

test('a thousand tasks are accepted, one more is refused and creates none', async () => {
  const tasks = (count: number) => Array.from({ length: count }, (_, index) => ({ name: `n${index}`, queue: `count-${count}` }));
  const { status, body } = await bulk({ tasks: tasks(1_000) });
  expect(status).toBe(201);
  expect(body.created).toBe(1_000);
  expect(body.items.map(({ task }: { task: { name: string } }) => task.name)).toEqual(tasks(1_000).map(({ name }) => name));
  expect(new Set(body.items.map(({ task }: { task: { id: string } }) => task.id)).size).toBe(1_000);
  for (const atomic of [true, false]) expectInvalid(await bulk({ tasks: tasks(1_001), atomic }), 'tasks');
  expect(await countOf('count-1001')).toBe(0);
});

test.each([
  [{}, ['tasks']],
  [{ tasks: [] }, ['tasks']],
  [{ tasks: null }, ['tasks']],
  [{ tasks: {} }, ['tasks']],
  [{ tasks: { length: 1, 0: { name: 'a' } } }, ['tasks']],
  [{ tasks: 'ab' }, ['tasks']],
  [{ tasks: [{ name: 'a' }], atomic: 'true' }, ['atomic']],
  [{ tasks: [{ name: 'a' }], atomic: null }, ['atomic']],
  [{ tasks: [{ name: 'a' }], atomic: 1 }, ['atomic']],
  [{ tasks: [{ name: 'a' }], items: [] }, ['items']],
  [{ task: { name: 'a' } }, ['tasks', 'task']],
])('%j is refused as a whole', async (body, fields) => expectInvalid(await bulk(body), ...fields));

test('no task of a refused bulk is ever seen', async () => {
  expectInvalid(await bulk({ tasks: [{ name: 'a', queue: 'unseen' }], extra: 1 }), 'extra');
  expect(await countOf('unseen')).toBe(0);
});

test('an Idempotency-Key makes the whole bulk happen once, bad items included', async () => {
  const body = {
    tasks: [
      { name: 'a', queue: 'once' },
      { name: '', queue: 'once' },
    ],
  };
  const headers = { 'idempotency-key': 'bulk-1' };
  const first = await bulk(body, headers);
  const again = await bulk(body, headers);
  expect(first.headers.has('idempotency-replayed')).toBe(false);
  expect(again.headers.get('idempotency-replayed')).toBe('true');
  expect(again).toMatchObject({ status: first.status, body: first.body });
  expect(await countOf('once')).toBe(1);
  const changed = await bulk({ tasks: [{ name: 'b', queue: 'once' }] }, headers);
  expect(changed).toMatchObject({ status: 422, body: { code: 'IDEMPOTENCY_KEY_REUSED' } });
  expect(await countOf('once')).toBe(1);
});
