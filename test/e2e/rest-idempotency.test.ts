import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectInvalid, expectProblem } from '../support/problem.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { until } from '../support/until.js';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

let keys = 0;
const newKey = () => `key-${keys++}`;
const create = (key: string, body: unknown) => server.api('POST', '/tasks', body, { 'idempotency-key': key });
const countOf = async (queue: string) => (await server.api('GET', `/tasks?queue=${queue}&limit=200`)).body.items.length;

test('the same key and body answer the first task again, as it was then', async () => {
  const key = newKey();
  const first = await create(key, { name: 'a', queue: 'same' });
  expect(first.status).toBe(201);
  expect(first.headers.has('idempotency-replayed')).toBe(false);
  await server.api('PATCH', `/tasks/${first.body.id}`, { name: 'changed' });
  const again = await create(key, { name: 'a', queue: 'same' });
  expect(again.headers.get('idempotency-replayed')).toBe('true');
  expect(again).toMatchObject({ status: 201, body: first.body });
  for (const header of ['location', 'etag']) expect(again.headers.get(header)).toBe(first.headers.get(header));
  expect(await countOf('same')).toBe(1);
});

test('the first answer is repeated even when its task is gone', async () => {
  const key = newKey();
  const first = await create(key, { name: 'a' });
  await server.api('DELETE', `/tasks/${first.body.id}`);
  expect((await create(key, { name: 'a' })).body).toEqual(first.body);
});

test('the order in which fields were written makes no difference, at any depth', async () => {
  const key = newKey();
  const first = await create(key, '{"name":"a","labels":{"x":"1","y":"2"},"parameters":{"a":{"b":1,"c":[{"d":1,"e":2}]}}}');
  const again = await create(key, '{"parameters":{"a":{"c":[{"e":2,"d":1}],"b":1}},"labels":{"y":"2","x":"1"},"name":"a"}');
  expect(again.headers.get('idempotency-replayed')).toBe('true');
  expect(again.body.id).toBe(first.body.id);
});

test.each([
  ['another value', { name: 'b' }],
  ['another field', { name: 'a', priority: 'medium' }],
  ['another order of a list', { name: 'a', parameters: { list: [2, 1] } }],
])('another body under the same key is 422: %s', async (_, body) => {
  const key = newKey();
  const queue = `reused-${key}`;
  await create(key, { name: 'a', parameters: { list: [1, 2] }, queue });
  expectProblem(await create(key, { parameters: { list: [1, 2] }, queue, ...body }), 'IDEMPOTENCY_KEY_REUSED');
  expect(await countOf(queue)).toBe(1);
});

test('a key of create is not one of bulk', async () => {
  const key = newKey();
  await create(key, { name: 'a' });
  expectProblem(await server.api('POST', '/tasks/bulk', { tasks: [{ name: 'a' }] }, { 'idempotency-key': key }), 'IDEMPOTENCY_KEY_REUSED');
});

test('twenty requests at once with one key create one task, and it runs once', async () => {
  const key = newKey();
  const answers = await Promise.all(Array.from({ length: 20 }, () => create(key, { name: 'a', queue: 'storm', start: 'auto' })));
  expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 201));
  expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
  expect(answers.filter(({ headers }) => headers.has('idempotency-replayed'))).toHaveLength(19);
  expect(await countOf('storm')).toBe(1);
  const done = await until('the task is completed', async () => {
    const { body } = await server.api('GET', `/tasks/${answers[0]!.body.id}`);
    return body.status === 'completed' && body;
  });
  expect(done.attempt).toBe(1);
});

test('twenty requests at once with one key and two bodies: one body wins, the other is 422', async () => {
  const key = newKey();
  const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => create(key, { name: `n${index % 2}`, queue: 'two-bodies' })));
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(10);
  expect(answers.filter(({ status }) => status === 422)).toHaveLength(10);
  expect(await countOf('two-bodies')).toBe(1);
});

test('a refused request does not use its key up', async () => {
  const key = newKey();
  expectInvalid(await create(key, { name: '' }), 'name');
  expect((await create(key, { name: 'a' })).headers.has('idempotency-replayed')).toBe(false);
});

test('many keys at once each create their own', async () => {
  const answers = await Promise.all(Array.from({ length: 40 }, () => create(newKey(), { name: 'a', queue: 'many' })));
  expect(new Set(answers.map(({ body }) => body.id)).size).toBe(40);
});

test('without a key every request creates', async () => {
  const ids = await Promise.all(Array.from({ length: 3 }, async () => (await server.api('POST', '/tasks', { name: 'a' })).body.id));
  expect(new Set(ids).size).toBe(3);
});

test('keys of 1 to 255 printable characters are taken', async () => {
  for (const key of ['0', 'x'.repeat(255), '!#$%&\'()*+-./:;<=>?@[\\]^_`{|}~"', '"quoted"'])
    expect((await create(key, { name: 'a' })).status).toBe(201);
});

test.each(['', 'a b', 'x'.repeat(256), 'caf\u00e9', 'a\tb', 'a, b'])('the key %j is refused by name, and creates nothing', async (key) => {
  expectInvalid(await create(key, { name: 'a', queue: 'malformed' }), 'Idempotency-Key');
  expect(await countOf('malformed')).toBe(0);
});
