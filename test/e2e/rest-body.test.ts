import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectInvalid, expectProblem } from '../support/problem.js';
import { startTestServer, type Answer, type TestServer } from '../support/server.js';

let server: TestServer;
let id: string;
beforeAll(async () => {
  server = await startTestServer({ RUNNER_SLOTS: '0' });
  id = (await server.api('POST', '/tasks', { name: 'stays' })).body.id;
});
afterAll(() => server.close());

/** The four routes that take a body. */
const routes = () =>
  [
    ['POST', '/tasks'],
    ['POST', '/tasks/bulk'],
    ['PUT', `/tasks/${id}`],
    ['PATCH', `/tasks/${id}`],
  ] as const;

async function everywhere(body: string | undefined, check: (answer: Answer) => void, headers: Record<string, string> = {}): Promise<void> {
  for (const [method, path] of routes()) check(await server.api(method, path, body, headers));
}

const filled = (bytes: number) => JSON.stringify({ name: 'x', filler: 'x'.repeat(bytes - '{"name":"x","filler":""}'.length) });

test('a body of 1 MiB is read, one byte more is 413', async () => {
  const largest = filled(1024 * 1024);
  expect(largest).toHaveLength(1024 * 1024);
  // Read, and refused for what is in it.
  expectInvalid(await server.api('POST', '/tasks', largest), 'filler');
  await everywhere(filled(1024 * 1024 + 1), (answer) => expectProblem(answer, 'PAYLOAD_TOO_LARGE'));
});

test('a body that comes in chunks without an announced length has the same limit', async () => {
  const chunk = new TextEncoder().encode(' '.repeat(64 * 1024));
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (let index = 0; index < 17; index++) controller.enqueue(chunk);
      controller.close();
    },
  });
  const response = await fetch(`${server.url}/tasks`, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' },
    body,
    duplex: 'half',
  });
  expect(response.status).toBe(413);
  expect(await response.json()).toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
});

test.each([
  '{',
  '{"name":}',
  "{'name':'a'}",
  '{"name":"a"} x',
  '{"name":"a",}',
  'name=a',
  '\u0000',
  '{"name":NaN}',
  '{"name":"\\x41"}',
  ' ',
  '<task/>',
])('%j is not JSON, which the answer says', async (body) => {
  await everywhere(body, (answer) => {
    expectProblem(answer, 'MALFORMED_REQUEST');
    expect(answer.body.detail).toContain('not valid JSON');
  });
});

test('bytes that are not UTF-8 are refused', async () => {
  const response = await fetch(`${server.url}/tasks`, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' },
    body: Uint8Array.from([...new TextEncoder().encode('{"name":"'), 0xff, 0xfe, 0x22, 0x7d]),
  });
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ code: 'MALFORMED_REQUEST', detail: expect.stringContaining('UTF-8') });
});

test.each(['[]', '[{"name":"a"}]', 'null', '1', 'true', '"name"'])('JSON that is no object, %s, is refused as a whole', async (body) => {
  await everywhere(body, (answer) => expectInvalid(answer, 'body'));
});

test('no body at all is one without fields', async () => {
  for (const headers of [{}, { 'content-type': 'application/json' }] as Record<string, string>[]) {
    expectInvalid(await server.api('POST', '/tasks', undefined, headers), 'name');
    expectInvalid(await server.api('POST', '/tasks/bulk', undefined, headers), 'tasks');
    expectInvalid(await server.api('PUT', `/tasks/${id}`, undefined, headers), 'name');
  }
});

test.each([
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'application/xml',
  'application/octet-stream',
  'json',
  'text/json',
])('a body of type %s is 415', async (type) => {
  await everywhere('{"name":"a"}', (answer) => expectProblem(answer, 'UNSUPPORTED_MEDIA_TYPE'), { 'content-type': type });
});

test.each(['application/json', 'application/json; charset=utf-8', 'APPLICATION/JSON', 'application/merge-patch+json'])(
  'a body of type %s is read',
  async (type) => {
    expect((await server.api('POST', '/tasks', '{"name":"a"}', { 'content-type': type })).status).toBe(201);
  },
);

test('a byte order mark before the JSON does no harm', async () => {
  const { body } = await server.api('POST', '/tasks', '\uFEFF{"name":"a"}');
  expect(body.name).toBe('a');
});

test('of two fields with one name the last counts, as JSON.parse has it', async () => {
  const { body } = await server.api('POST', '/tasks', '{"name":"first","name":"second"}');
  expect(body.name).toBe('second');
});

describe('the actions take no fields', () => {
  test('with or without an empty object', async () => {
    for (const body of [undefined, '', '{}']) {
      const { body: task } = await server.api('POST', '/tasks', { name: 'a' });
      for (const action of ['execute', 'cancel', 'retry']) {
        expect((await server.api('POST', `/tasks/${task.id}/${action}`, body)).status, `${action} ${body}`).toBe(200);
      }
    }
  });

  test('a field that is sent to one is refused by name, and nothing happens', async () => {
    for (const action of ['execute', 'cancel', 'retry']) {
      expectInvalid(await server.api('POST', `/tasks/${id}/${action}`, { force: true }), 'force');
    }
    expect((await server.api('GET', `/tasks/${id}`)).body.version).toBe(1);
  });
});
