import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectInvalid } from '../support/problem.js';
import { startTestServer, type Answer, type TestServer } from '../support/server.js';

let server: TestServer;
let id: string;
beforeAll(async () => {
  server = await startTestServer({ RUNNER_SLOTS: '0' });
  id = (await server.api('POST', '/tasks', { name: 'stays' })).body.id;
});
afterAll(() => server.close());

/** Sends the same fields to every route that takes them; `raw` JSON goes out as it is. */
async function everywhere(fields: object | string, check: (answer: Answer) => void): Promise<void> {
  const body = typeof fields === 'string' ? fields : { name: 'x', ...fields };
  check(await server.api('POST', '/tasks', body));
  check(await server.api('PUT', `/tasks/${id}`, body));
  check(await server.api('PATCH', `/tasks/${id}`, body));
}

const wrong = {
  name: [
    null,
    1,
    true,
    [],
    {},
    ['x'],
    '',
    '   ',
    '\u00a0\n',
    'x'.repeat(256),
    '😀'.repeat(256),
    'a\u0000b',
    'a\u001bb',
    'a\tb',
    'a\nb',
    'a\u007fb',
    'a\u0085b',
  ],
  type: [null, 1, {}, [], '', ' echo', 'Echo', 'a b', 'x'.repeat(101), 'é', 'a\u0000', '-a', '.a'],
  queue: [null, 0, {}, [], '', 'Q', 'a/b', 'a b', 'a\n', 'a\u0007', 'x'.repeat(101), '_a'],
  priority: [null, 1, {}, [], '', 'urgent', 'HIGH', ['high'], 'toString'],
  parameters: [null, 1, 'x', true, [], [{}]],
  max_attempts: [null, '1', 0, -1, 1.5, 101, 1e99, [], {}, true, ''],
  timeout_seconds: [null, '300', 0, -1, 0.5, 86_401, [], {}, false],
  run_at: [
    0,
    1_900_000_000,
    true,
    {},
    [],
    '',
    'now',
    '2026-01-01',
    '2026-01-01T00:00:00',
    '2026-02-30T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-01-01 00:00:00Z',
  ]
    .concat([
      '2026-01-01T25:00:00Z',
      '2026-01-01T00:00:60Z',
      '1969-12-31T23:59:59.999Z',
      '+012026-01-01T00:00:00Z',
      '2026-01-01T00:00:00+25:00',
    ] as never[])
    .concat(['infinity', 'epoch', '2026-01-01T00:00:00Z\u0000', '9999-12-31T23:59:59-01:00', '0000-01-01T00:00:00Z'] as never[]),
  backoff: [null, 1, 'fixed', true, [], [{}], [{ kind: 'fixed' }]],
  labels: [
    null,
    1,
    'a=b',
    true,
    [],
    [{}],
    { a: 1 },
    { a: true },
    { a: {} },
    { a: [] },
    { '': 'x' },
    { 'a b': 'x' },
    { 'a\u0000': 'x' },
    { '-a': 'x' },
    { é: 'x' },
  ],
} satisfies Record<string, unknown[]>;

describe('create, PUT and PATCH refuse a wrong value and name its field', () => {
  test.each(Object.entries(wrong))('%s', async (field, values) => {
    for (const value of values) await everywhere({ [field]: value }, (answer) => expectInvalid(answer, field));
  });

  test.each([
    ['kind', [null, 1, 'random', '', {}, []]],
    ['delay_seconds', [null, '1', -0.1, 86_400.5, {}, [], true]],
    ['max_delay_seconds', [null, '1', -1, 604_801, {}, []]],
    ['jitter', [null, '0.5', -0.1, 1.1, {}, []]],
  ])('backoff.%s', async (field, values) => {
    for (const value of values) await everywhere({ backoff: { [field]: value } }, (answer) => expectInvalid(answer, `backoff.${field}`));
  });

  test('labels: keys and values that are too long, too many, or hold control characters', async () => {
    const bad = [
      { ['k'.repeat(64)]: 'x' },
      { k: 'x'.repeat(256) },
      { k: 'a\u0000' },
      { k: 'a\nb' },
      { k: 'a\tb' },
      { k: 'a\u009fb' },
      Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`k${index}`, 'x'])),
    ];
    for (const labels of bad) await everywhere({ labels }, (answer) => expectInvalid(answer, 'labels'));
  });

  test('null removes a label in PATCH alone', async () => {
    for (const [method, path] of [
      ['POST', '/tasks'],
      ['PUT', `/tasks/${id}`],
    ] as const) {
      expectInvalid(await server.api(method, path, { name: 'x', labels: { a: null } }), 'labels');
    }
  });

  test('halves of surrogate pairs', async () => {
    for (const half of ['\\ud83d', '\\ude00', '\\ude00\\ud83d']) {
      await everywhere(`{"name":"a${half}"}`, (answer) => expectInvalid(answer, 'name'));
      await everywhere(`{"name":"a","labels":{"k":"${half}"}}`, (answer) => expectInvalid(answer, 'labels'));
      await everywhere(`{"name":"a","queue":"${half}"}`, (answer) => expectInvalid(answer, 'queue'));
      await everywhere(`{"name":"a","parameters":{"k":["${half}"]}}`, (answer) => expectInvalid(answer, 'parameters.k[0]'));
      await everywhere(`{"name":"a","parameters":{"k":{"${half}":1}}}`, (answer) => expectInvalid(answer, 'parameters.k'));
    }
  });

  test('numbers that JSON can write and a double cannot hold', async () => {
    await everywhere('{"name":"a","parameters":{"a":[1e999]}}', (answer) => expectInvalid(answer, 'parameters.a[0]'));
    await everywhere('{"name":"a","parameters":{"a":-1e999}}', (answer) => expectInvalid(answer, 'parameters.a'));
    await everywhere('{"name":"a","max_attempts":1e999}', (answer) => expectInvalid(answer, 'max_attempts'));
    await everywhere('{"name":"a","backoff":{"delay_seconds":1e999}}', (answer) => expectInvalid(answer, 'backoff.delay_seconds'));
  });

  test('several bad fields are all named at once', async () => {
    await everywhere({ priority: 'urgent', queue: '', max_attempts: 0, backoff: { jitter: 2, kind: 'x' } }, (answer) =>
      expectInvalid(answer, 'priority', 'queue', 'max_attempts', 'backoff.jitter', 'backoff.kind'),
    );
  });
});

describe('fields that are not for clients to set', () => {
  const foreign = [
    'id',
    'tenant_id',
    'status',
    'result',
    'error',
    'progress',
    'progress_message',
    'attempt',
    'worker_id',
    'created_by',
    'created_at',
  ];
  const more = ['updated_at', 'queued_at', 'started_at', 'finished_at', 'version', 'lease_token', 'lease_expires_at', 'rescues'];
  const later = ['depends_on', 'parent_id', 'schedule_id', 'unique_key'];
  const typos = ['Name', 'prio', 'params', 'name ', '', 'toString', 'hasOwnProperty', 'constructor', 'valueOf', '0', 'naïve'];

  test.each([...foreign, ...more, ...later, ...typos])('%j is refused by name, with the accepted ones', async (field) => {
    await everywhere({ [field]: 'x' }, (answer) => {
      expectInvalid(answer, field);
      expect(answer.body.errors[0].message).toMatch(/^is not a known field; accepted are .*name.*/);
    });
  });

  test('start belongs to create', async () => {
    for (const method of ['PUT', 'PATCH']) expectInvalid(await server.api(method, `/tasks/${id}`, { name: 'x', start: 'auto' }), 'start');
    for (const start of [null, '', 'now', 1, true]) expectInvalid(await server.api('POST', '/tasks', { name: 'x', start }), 'start');
  });

  test('a field of the backoff that does not exist', async () => {
    for (const field of ['factor', 'toString'])
      await everywhere({ backoff: { [field]: 1 } }, (answer) => expectInvalid(answer, `backoff.${field}`));
  });
});

describe('keys that reach for prototypes are refused wherever they are', () => {
  const poison = [
    '"__proto__":{}',
    '"__proto__":1',
    '"__proto__":null',
    '"constructor":{"prototype":{}}',
    '"constructor":{"prototype":null}',
  ];
  const places: [string, string][] = [
    ['', '{"name":"a",POISON}'],
    ['parameters.', '{"name":"a","parameters":{POISON}}'],
    ['parameters.a[1].b.', '{"name":"a","parameters":{"a":[0,{"b":{POISON}}]}}'],
    ['labels.', '{"name":"a","labels":{POISON}}'],
    ['backoff.', '{"name":"a","backoff":{POISON}}'],
    ['name.', '{"name":{POISON}}'],
  ];

  test.each(places)('at %j', async (path, template) => {
    for (const text of poison) {
      const key = text.includes('constructor') ? 'constructor' : '__proto__';
      await everywhere(template.replace('POISON', text), (answer) => expectInvalid(answer, path + key));
    }
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  test('in a bulk body', async () => {
    expectInvalid(
      await server.api('POST', '/tasks/bulk', '{"tasks":[{"name":"a","parameters":{"__proto__":{}}}]}'),
      'tasks[0].parameters.__proto__',
    );
    expectInvalid(await server.api('POST', '/tasks/bulk', '{"tasks":[],"__proto__":{}}'), '__proto__');
  });
});

describe('parameters', () => {
  const nested = (depth: number) => `${'{"a":'.repeat(depth - 1)}{}${'}'.repeat(depth - 1)}`;
  const lists = (depth: number) => `{"a":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`;

  test('may be 32 levels deep, and not one more', async () => {
    for (const shape of [nested, lists]) {
      expect((await server.api('POST', '/tasks', `{"name":"deep","parameters":${shape(32)}}`)).status).toBe(201);
      const deeper = await server.api('POST', '/tasks', `{"name":"deep","parameters":${shape(33)}}`);
      expectInvalid(deeper, deeper.body.errors[0].field);
      expect(deeper.body.errors[0].field).toMatch(/^parameters\.a/);
      expect(deeper.body.detail).toContain('at most 32 levels');
    }
  });

  test.each([64, 65, 1_000, 100_000])('%i levels deep are refused without harm', async (depth) => {
    for (const shape of [nested, lists]) {
      await everywhere(`{"name":"deep","parameters":${shape(depth)}}`, (answer) => expectInvalid(answer, answer.body.errors[0].field));
    }
  });

  test('may be 256 KiB of JSON, and not one byte more', async () => {
    const fill = 256 * 1024 - '{"a":""}'.length;
    expect((await server.api('POST', '/tasks', { name: 'big', parameters: { a: 'x'.repeat(fill) } })).status).toBe(201);
    await everywhere({ parameters: { a: 'x'.repeat(fill + 1) } }, (answer) => {
      expectInvalid(answer, 'parameters');
      expect(answer.body.detail).toContain('262145 bytes');
    });
    // Characters outside ASCII count as the bytes they take.
    await everywhere({ parameters: { a: 'é'.repeat(fill / 2 + 1) } }, (answer) => expectInvalid(answer, 'parameters'));
  });

  test('hold no NUL, neither in values nor in keys', async () => {
    await everywhere({ parameters: { a: 'x\0' } }, (answer) => expectInvalid(answer, 'parameters.a'));
    await everywhere({ parameters: { a: [{ b: '\0' }] } }, (answer) => expectInvalid(answer, 'parameters.a[0].b'));
    await everywhere({ parameters: { a: { 'k\0': 1 } } }, (answer) => expectInvalid(answer, 'parameters.a'));
    await everywhere({ parameters: { '\0': 1 } }, (answer) => expectInvalid(answer, 'parameters'));
  });

  test('that do not fit their type are named by their path', async () => {
    await everywhere({ type: 'http.request' }, (answer) => expectInvalid(answer, 'parameters.url'));
    await everywhere({ type: 'http.request', parameters: { url: 'ftp://x', methode: 'GET' } }, (answer) =>
      expectInvalid(answer, 'parameters.url', 'parameters.methode'),
    );
    await everywhere({ type: 'sleep' }, (answer) => expectInvalid(answer, 'parameters.seconds'));
    await everywhere({ type: 'sleep', parameters: { seconds: '1', fail: 'no' } }, (answer) =>
      expectInvalid(answer, 'parameters.seconds', 'parameters.fail'),
    );
  });

  test('of an unknown type are not looked at; the known types are named instead', async () => {
    for (const type of ['report.render', 'constructor', 'echo2', '0']) {
      await everywhere({ type, parameters: { anything: 1 } }, (answer) => {
        expectInvalid(answer, 'type');
        expect(answer.body.detail).toContain('echo, http.request, sleep');
      });
    }
  });
});

test('what was refused left no trace', async () => {
  const { body } = await server.api('GET', `/tasks/${id}`);
  expect(body).toMatchObject({ name: 'stays', version: 1 });
  const { body: list } = await server.api('GET', '/tasks?limit=200');
  expect(list.items.map((task: { name: string }) => task.name).toSorted()).toEqual(['big', 'deep', 'deep', 'stays']);
});
