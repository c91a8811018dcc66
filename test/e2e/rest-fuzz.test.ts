import { randomUUIDv7 } from 'node:crypto';
import { once } from 'node:events';
import { Agent, request, type IncomingMessage } from 'node:http';
import { text as textOf } from 'node:stream/consumers';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { errorCodes, type ErrorCode } from '../../src/errors/error-codes.js';
import { startTestServer, type TestServer } from '../support/server.js';

/*
 * Whatever is thrown at a route, the answer is not the server's fault: a status below 500, and from 400 on a whole problem.
 * The seed of a failing run is in its message; `fc.assert(…, {seed, path})` repeats it.
 */

let server: TestServer;
let id: string;
const agent = new Agent({ keepAlive: true });
beforeAll(async () => {
  server = await startTestServer({ RUNNER_SLOTS: '0' });
});
beforeEach(async () => {
  id = (await server.api('POST', '/tasks', { name: 'target', parameters: { a: { b: [1] } }, labels: { k: 'v' } })).body.id;
});
afterAll(() => {
  agent.destroy();
  return server.close();
});

const unit = fc.oneof(
  fc.constantFrom(
    '\0',
    '\n',
    '\t',
    '\u001b',
    '\u007f',
    '\u00a0',
    'e\u0301',
    '\ud83d',
    '\ude00',
    '\ufeff',
    '\u2028',
    ',',
    '=',
    '%',
    '"',
    '\\',
    "'",
  ),
  fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)),
  fc.constantFrom('a', 'Z', '0', '.', '-', '_'),
);
const text = fc.oneof(
  fc.string({ unit, maxLength: 12 }),
  fc.constantFrom(
    '',
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    'null',
    'NaN',
    '2026-01-01T00:00:00+23:59',
    '9999-12-31T23:59:59.9999Z',
    'x'.repeat(300),
    '1e400',
    '-0',
  ),
);
const number = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(0, -0, -1, 2 ** 31, 2 ** 53, 1e308, 5e-324));
const scalar = fc.oneof(text, number, fc.boolean(), fc.constant(null));
const { json } = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar,
    fc.array(tie('json'), { maxLength: 3 }),
    fc.dictionary(text, tie('json'), { maxKeys: 3, noNullPrototype: false }),
  ),
}));

/** Mostly what a field takes, sometimes anything. */
const near = (good: fc.Arbitrary<unknown>) => fc.oneof({ weight: 12, arbitrary: good }, { weight: 1, arbitrary: json });
const object = fc.oneof(
  fc.constant({ seconds: 1 }),
  fc.constant({ url: 'https://example.com', body: { a: [null] } }),
  fc.dictionary(text, json, { maxKeys: 4 }),
);
const fields = fc.record(
  {
    name: near(fc.oneof(fc.constantFrom('a', ' Weekly report ', 'é'.repeat(255)), text)),
    type: near(fc.constantFrom('echo', 'echo', 'echo', 'sleep', 'http.request', 'no.such')),
    queue: near(fc.constantFrom('default', 'q-1')),
    priority: near(fc.constantFrom('low', 'medium', 'high', 'critical')),
    parameters: near(object),
    labels: near(
      fc.dictionary(fc.constantFrom('k', 'team', 'a/b', '__proto__', 'constructor'), fc.oneof(fc.constantFrom('', 'v', 'é'), text), {
        maxKeys: 2,
      }),
    ),
    max_attempts: near(fc.integer({ min: 1, max: 100 })),
    timeout_seconds: near(fc.integer({ min: 1, max: 86_400 })),
    backoff: near(
      fc.record(
        { kind: near(fc.constant('fixed')), delay_seconds: near(fc.double({ min: 0, max: 9, noNaN: true })), jitter: near(fc.constant(1)) },
        { requiredKeys: [] },
      ),
    ),
    run_at: near(fc.date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true }).map((date) => date.toISOString())),
    start: near(fc.constantFrom('auto', 'manual')),
  },
  { requiredKeys: [] },
);
const withMore = fc.tuple(fields, fc.dictionary(text, json, { maxKeys: 1 })).map(([known, more]) => ({ ...known, ...more }));
const bulk = fc.record(
  { tasks: near(fc.array(fc.oneof(fields, json), { maxLength: 4 })), atomic: near(fc.boolean()) },
  { requiredKeys: [] },
);
const body = fc.oneof(
  { weight: 4, arbitrary: fields.map((value) => JSON.stringify(value)) },
  { weight: 2, arbitrary: bulk.map((value) => JSON.stringify(value)) },
  { weight: 1, arbitrary: withMore.map((value) => JSON.stringify(value)) },
  { weight: 1, arbitrary: json.map((value) => JSON.stringify(value)) },
  { weight: 1, arbitrary: fc.string({ unit, maxLength: 30 }) },
  { weight: 1, arbitrary: fc.constant(undefined) },
);

// A wait that is accepted would wait.
const queryValue = fc
  .oneof(text, fc.constantFrom('1', '200', 'asc', 'queued', 'k=v', randomUUIDv7()))
  .filter((value) => value.isWellFormed());
const queryKey = fc.oneof(
  fc.constantFrom('status', 'type', 'queue', 'priority', 'name', 'label', 'created_after', 'created_before', 'order', 'limit', 'cursor'),
  text.filter((value) => value.isWellFormed() && value !== 'wait'),
);
const query = fc.oneof(
  fc.array(fc.tuple(queryKey, queryValue), { maxLength: 4 }).map((pairs) => String(new URLSearchParams(pairs))),
  // Not even percent-encoding is sure to be right.
  fc.string({
    unit: fc.constantFrom('%', '&', '=', '[', ']', '0', 'a', '+', ';', 'status', 'limit', 'cursor', '%00', '%ff', '__proto__'),
    maxLength: 10,
  }),
);
const pathId = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom('ID', randomUUIDv7(), '00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff'),
  },
  {
    weight: 1,
    arbitrary: fc.oneof(
      text.filter((value) => value.isWellFormed() && value !== '').map(encodeURIComponent),
      fc.constantFrom('%', '%2', '%ff', '%2f', '..%2f..', '.', '..'),
    ),
  },
);
const headerText = fc.string({
  unit: fc
    .integer({ min: 0x20, max: 0xff })
    .filter((code) => code !== 0x7f)
    .map((code) => String.fromCharCode(code)),
  maxLength: 20,
});
const headers = fc.record(
  {
    'if-match': fc.oneof(headerText, fc.constantFrom('"1"', '*', '""')),
    'idempotency-key': headerText,
    'last-event-id': headerText,
    'x-request-id': headerText,
    'content-type': fc.oneof(headerText, fc.constantFrom('application/json', 'application/json; charset=latin1', 'text/plain')),
    // Never one that opens a stream, which would not end.
    accept: fc.constantFrom('*/*', 'application/json', 'text/html', '', ';q=x'),
  },
  { requiredKeys: [] },
);
const routes = fc.constantFrom(
  '/tasks',
  '/tasks/bulk',
  '/tasks/:id',
  ...['execute', 'cancel', 'retry', 'attempts', 'logs', 'events', 'nope'].map((action) => `/tasks/:id/${action}`),
);
const methods = fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS');

/** Unlike fetch, this neither tidies paths nor refuses odd headers. */
async function send(method: string, path: string, content: string | undefined, headers: Record<string, string>) {
  const sent = request(server.url, { agent, method, path, headers: { authorization: `Bearer ${server.token}`, ...headers } });
  sent.end(content);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return { status: response.statusCode!, headers: response.headers, answer: await textOf(response) };
}

async function expectNoFault(method: string, path: string, content: string | undefined, given: Record<string, string>): Promise<number> {
  const type = content !== undefined && { 'content-type': 'application/json' };
  const { status, headers, answer } = await send(method, path, content, { ...type, ...given });
  const what = `${method} ${path} → ${status} ${answer.slice(0, 300)}`;
  expect(status, what).toBeLessThan(500);
  if (status >= 400) {
    expect(headers['content-type'], what).toMatch(/^application\/problem\+json/);
    const problem = JSON.parse(answer) as { code: ErrorCode };
    expect(Object.keys(errorCodes), what).toContain(problem.code);
    expect(problem, what).toMatchObject({ status, request_id: headers['x-request-id'], detail: expect.stringMatching(/./) });
  }
  return status;
}

const bounded = { numRuns: 100_000, interruptAfterTimeLimit: 5_000, markInterruptAsFailure: false };

test('no request of any shape is answered with a fault of the server', async () => {
  const statuses = new Map<number, number>();
  await fc.assert(
    fc.asyncProperty(methods, routes, pathId, query, body, headers, async (method, route, givenId, givenQuery, content, sent) => {
      const path = `${route.replace(':id', givenId === 'ID' ? id : givenId)}${givenQuery && `?${givenQuery}`}`;
      const status = await expectNoFault(method, path, content, sent);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }),
    // On a slow machine the time may be over before chance has found a request without any fault.
    { ...bounded, examples: [['GET', '/tasks', 'ID', '', undefined, {}]] },
  );
  expect([...statuses.keys()]).toEqual(expect.arrayContaining([200, 400, 404, 405, 415]));
}, 120_000);

test('no body sent to a route that takes one is answered with a fault of the server', async () => {
  const created: number[] = [];
  const takers = fc.constantFrom(['POST', '/tasks'], ['POST', '/tasks/bulk'], ['PUT', '/tasks/ID'], ['PATCH', '/tasks/ID']);
  await fc.assert(
    fc.asyncProperty(takers, body, async ([method, path], content) => {
      created.push(await expectNoFault(method, path.replace('ID', id), content, {}));
    }),
    bounded,
  );
  // Some of it was right, so more than the refusals was tried.
  expect(created).toEqual(expect.arrayContaining([200, 201, 207, 400]));
}, 120_000);

test('no query of a list is answered with a fault of the server', async () => {
  const seen: number[] = [];
  await fc.assert(
    fc.asyncProperty(query, async (given) => void seen.push(await expectNoFault('GET', `/tasks?${given}`, undefined, {}))),
    bounded,
  );
  expect(seen).toEqual(expect.arrayContaining([200, 400]));
}, 120_000);

test('and after all of that the server is as ready as before', async () => {
  expect((await server.api('GET', '/health/ready')).status).toBe(200);
  expect((await server.api('POST', '/tasks', { name: 'after' })).status).toBe(201);
});
