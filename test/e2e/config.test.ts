import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { startHttpSink } from '../support/http-sink.js';
import { GrpcClient } from '../support/grpc.js';
import { expectProblem } from '../support/problem.js';
import { call, startTestServer, type TestServer } from '../support/server.js';
import { ask, closeSockets, connectSocket } from '../support/socket-client.js';
import { until } from '../support/until.js';

const token = randomBytes(24).toString('base64url');
let database: TestDatabase;
let a: TestServer;
let b: TestServer;
beforeAll(async () => {
  database = await createDatabase();
  const start = () => startTestServer({ ADMIN_TOKEN: token, RUNNER_SLOTS: '2', ALERTS_RETENTION_DAYS: '80' }, database.url);
  a = await start();
  b = await start();
});
afterAll(async () => {
  await Promise.all([a.close(), b.close()]);
  await database.drop();
});

// What a test reads from an answer is checked by its assertions.
// oxlint-disable-next-line typescript/no-explicit-any
type Any = any;

async function set(changes: object, rest: object = {}, headers: Record<string, string> = {}, at = a): Promise<Any> {
  const answer = await at.api('POST', '/config', { changes, ...rest }, headers);
  expect(answer, JSON.stringify(answer.body)).toMatchObject({ status: 200 });
  return answer.body;
}
const settingOf = async (at: TestServer, key: string): Promise<Any> =>
  (await at.api('GET', '/config')).body.settings.find((setting: { key: string }) => setting.key === key);
const version = async (at = a): Promise<number> => (await at.api('GET', '/config')).body.version;
const applied = (number: number) =>
  until('every replica to apply it', async () => {
    const { body } = await a.api('GET', `/config/versions/${number}`);
    return body.complete && body.replicas.length === 2 && body;
  });

/** Milliseconds from the change to the last acknowledgement, by the clock of the database. */
const slowest = ({ at, replicas }: Any): number =>
  Math.max(...replicas.map(({ applied_at }: Any) => Date.parse(applied_at) - Date.parse(at)));

describe('what holds', () => {
  test('says its source, and what it hides', async () => {
    expect(await settingOf(a, 'ALERTS_RETENTION_DAYS')).toMatchObject({
      value: 80,
      source: 'environment',
      effect: 'live',
      scope: 'run-time',
      hides: [{ source: 'default', value: 90 }],
    });
    const { version: number } = await set({ ALERTS_RETENTION_DAYS: 70 });
    expect(await settingOf(a, 'ALERTS_RETENTION_DAYS')).toMatchObject({
      value: 70,
      source: 'override',
      version: number,
      set_by: 'root',
      hides: [
        { source: 'environment', value: 80 },
        { source: 'default', value: 90 },
      ],
    });
    await set({ ALERTS_RETENTION_DAYS: null });
    expect(await settingOf(a, 'ALERTS_RETENTION_DAYS')).toMatchObject({ value: 80, source: 'environment', version: null });
  });

  test('of a setting that needs a restart is what it was, until then', async () => {
    const answer = await set({ ENGINE_LEASE_SECONDS: 40 });
    expect(answer).toMatchObject({ effects: [{ key: 'ENGINE_LEASE_SECONDS', from: 30, to: 40, takes_effect: 'restart' }], live_on: [] });
    expect(answer.restart_on).toHaveLength(2);
    expect(await settingOf(a, 'ENGINE_LEASE_SECONDS')).toMatchObject({ value: 40, running_value: 30, restart_needed: true });
    const { replicas } = await applied(answer.version);
    expect(replicas.map(({ restart_keys }: Any) => restart_keys)).toEqual([['ENGINE_LEASE_SECONDS'], ['ENGINE_LEASE_SECONDS']]);
    const c = await startTestServer({ ADMIN_TOKEN: token }, database.url);
    expect(await settingOf(c, 'ENGINE_LEASE_SECONDS')).toMatchObject({ value: 40, running_value: 40, restart_needed: false });
    await c.close();
    await set({ ENGINE_LEASE_SECONDS: null });
  });

  test('is described by a JSON Schema, without secrets', async () => {
    const { body } = await a.api('GET', '/config/schema');
    expect(body).toMatchObject({ $schema: 'https://json-schema.org/draft/2020-12/schema', additionalProperties: false });
    expect(body.properties.ALERTS_SILENCE_MAX_DAYS).toMatchObject({
      anyOf: [{ type: 'integer', minimum: 1, maximum: 3650 }, { type: 'null' }],
      default: 30,
      'x-unit': 'days',
      'x-effect': 'live',
    });
    expect(body.properties.DATABASE_URL).toMatchObject({ writeOnly: true, readOnly: true, 'x-secret': true });
  });
});

describe('a change', () => {
  test('is acknowledged by every replica within a second, and seen there', async () => {
    const { version: number } = await set({ TASKS_DEFAULT_TYPE: 'sleep', LOG_LEVEL: 'fatal' });
    expect(slowest(await applied(number))).toBeLessThan(1_000);
    expect(await version(b)).toBe(number);
    const { body: task } = await b.api('POST', '/tasks', { name: 'of the new default', parameters: { seconds: 0 } });
    expect(task.type).toBe('sleep');
    expect(b.server.kernel.live.values.LOG_LEVEL).toBe('fatal');
    await set({ TASKS_DEFAULT_TYPE: null, LOG_LEVEL: null }, {}, {}, b);
    await until('it to hold on a', async () => (await settingOf(a, 'TASKS_DEFAULT_TYPE')).value === 'echo');
  });

  test('of HTTP_ALLOW_HOSTS opens a host to tasks of another replica', async () => {
    const sink = await startHttpSink();
    const send = async () => {
      const task = { name: 'reach', type: 'http.request', parameters: { url: sink.url }, start: 'auto' };
      return (await b.api('POST', '/tasks?wait=20', task)).body;
    };
    expect(await send()).toMatchObject({ status: 'failed', error: { code: 'ADDRESS_REFUSED' } });
    await applied((await set({ HTTP_ALLOW_HOSTS: ['127.0.0.1'] })).version);
    // Tasks may run on either.
    expect(await send()).toMatchObject({ status: 'completed' });
    await applied((await set({ HTTP_ALLOW_HOSTS: null })).version);
    await sink.close();
  });

  test('of CORS_ORIGINS lets pages of that origin in, and out again', async () => {
    const origin = 'https://late.example.com';
    const allowed = async () =>
      (await fetch(`${b.url}/tasks`, { headers: { origin, authorization: `Bearer ${token}` } })).headers.get('access-control-allow-origin');
    expect(await allowed()).toBeNull();
    await applied((await set({ CORS_ORIGINS: [origin] })).version);
    expect(await allowed()).toBe(origin);
    await applied((await set({ CORS_ORIGINS: null })).version);
    expect(await allowed()).toBeNull();
  });

  test('is all or nothing, and every bad key is named with what is accepted', async () => {
    const before = await version();
    const answer = await a.api('POST', '/config', {
      changes: {
        LOG_LEVEL: 'debug',
        RUNNER_SLOTS: 5_000,
        LOGLEVEL: 'debug',
        DATABASE_URL: 'postgres://canary-secret@x/y',
        HTTP_ALLOW_HOSTS: 'a:b:c',
      },
    });
    expectProblem(answer, 'VALIDATION_FAILED');
    const fields = Object.fromEntries(answer.body.errors.map(({ field, message }: Any) => [field, message]));
    expect(Object.keys(fields)).toEqual(['changes.RUNNER_SLOTS', 'changes.LOGLEVEL', 'changes.DATABASE_URL', 'changes.HTTP_ALLOW_HOSTS']);
    expect(fields['changes.RUNNER_SLOTS']).toBe('must be a whole number from 0 to 1000; null takes the override away');
    expect(fields['changes.LOGLEVEL']).toContain('LOG_LEVEL');
    expect(JSON.stringify(answer.body)).not.toContain('canary-secret');
    expect(await version()).toBe(before);
  });

  test('is checked together with the others', async () => {
    const answer = await a.api('POST', '/config', { changes: { METRICS_SAMPLES_HOURS: 700 } });
    expectProblem(answer, 'VALIDATION_FAILED');
    expect(answer.body.errors).toEqual([
      { field: 'changes.METRICS_SAMPLES_HOURS', message: 'must not be longer than METRICS_MINUTES_DAYS: at most 168 hours, or more days' },
    ]);
    await set({ METRICS_SAMPLES_HOURS: 700, METRICS_MINUTES_DAYS: 30 });
    expect((await a.api('POST', '/config', { changes: { METRICS_MINUTES_DAYS: null } })).body.errors[0].field).toBe(
      'changes.METRICS_MINUTES_DAYS',
    );
    await set({ METRICS_SAMPLES_HOURS: null, METRICS_MINUTES_DAYS: null });
  });

  test('can be tried first', async () => {
    const before = await version();
    for (const [path, rest] of [
      ['/config?dry_run=true', {}],
      ['/config', { dry_run: true }],
    ] as const) {
      const { body } = await a.api('POST', path, { changes: { LOG_LEVEL: 'debug', TASKS_RETENTION_DAYS: 30 }, ...rest });
      expect(body).toMatchObject({
        dry_run: true,
        version: before + 1,
        changes: [
          { key: 'LOG_LEVEL', from: null, to: 'debug' },
          { key: 'TASKS_RETENTION_DAYS', from: null, to: 30 },
        ],
        effects: [
          { key: 'LOG_LEVEL', from: 'error', to: 'debug', takes_effect: 'live' },
          { key: 'TASKS_RETENTION_DAYS', takes_effect: 'not' },
        ],
        restart_on: [],
      });
      expect(body.live_on).toHaveLength(2);
    }
    expect(await version()).toBe(before);
  });

  test('of a version that is gone is refused', async () => {
    const { headers, body } = await a.api('GET', '/config');
    expect(headers.get('etag')).toBe(`"${body.version}"`);
    const tag = { 'if-match': headers.get('etag')! };
    await set({ LOG_LEVEL: 'warn' }, {}, tag);
    expectProblem(await a.api('POST', '/config', { changes: { LOG_LEVEL: 'info' } }, tag), 'VERSION_MISMATCH');
    expectProblem(await a.api('POST', '/config/rollback', { version: 0 }, tag), 'VERSION_MISMATCH');
    await set({ LOG_LEVEL: null });
  });

  test('that changes nothing makes no version', async () => {
    const before = await version();
    expect(await set({ LOG_LEVEL: null })).toMatchObject({ version: before, changes: [] });
  });

  test('needs a token', async () => {
    expectProblem(await call(a.url, 'POST', '/config', { changes: { LOG_LEVEL: 'debug' } }), 'FORBIDDEN');
    expect((await call(a.url, 'GET', '/config')).status).toBe(200);
  });

  test('of many replicas at once: each makes its own version, and none is lost', async () => {
    const before = await version();
    const keys = ['ALERTS_SILENCE_MAX_DAYS', 'ALERTS_FLAPPING_COUNT', 'ALERTS_FLAPPING_MINUTES', 'ENGINE_MAX_RESCUES'];
    const made = await Promise.all(keys.map((key, index) => set({ [key]: 20 + index }, {}, {}, index % 2 ? a : b)));
    expect(made.map(({ version: number }) => number).toSorted((x, y) => x - y)).toEqual(keys.map((_, index) => before + 1 + index));
    await applied(before + keys.length);
    for (const [index, key] of keys.entries()) expect(await settingOf(a, key)).toMatchObject({ value: 20 + index });
    await set(Object.fromEntries(keys.map((key) => [key, null])));
  });
});

describe('what was', () => {
  test('is listed newest first, with diffs, and can be gone back to', async () => {
    const { version: first } = await set({ RUNNER_SLOTS: 3 }, { reason: 'more room' });
    await set({ RUNNER_SLOTS: 4, LOG_LEVEL: 'warn' });
    const { body: page } = await a.api('GET', '/config/history?limit=1');
    expect(page.items).toMatchObject([
      { version: first + 1, by: 'root', changes: [{ key: 'LOG_LEVEL' }, { key: 'RUNNER_SLOTS', from: 3, to: 4 }] },
    ]);
    const { body: next } = await a.api('GET', `/config/history?limit=1&cursor=${page.next_cursor}`);
    expect(next.items).toMatchObject([{ version: first, reason: 'more room', changes: [{ key: 'RUNNER_SLOTS', from: null, to: 3 }] }]);
    const { status, body } = await a.api('POST', '/config/rollback', { version: first, reason: 'no' });
    expect(status).toBe(200);
    expect(body.changes).toEqual([
      { key: 'LOG_LEVEL', from: 'warn', to: null },
      { key: 'RUNNER_SLOTS', from: 4, to: 3 },
    ]);
    expect((await applied(body.version)).overrides).toEqual({ RUNNER_SLOTS: 3 });
    expect((await a.api('GET', `/config/versions/${body.version}`)).body).toMatchObject({ rolled_back_to: first, reason: 'no' });
    expect((await a.api('POST', '/config/rollback', { version: 0 })).body.changes).toEqual([{ key: 'RUNNER_SLOTS', from: 3, to: null }]);
    expectProblem(await a.api('POST', '/config/rollback', { version: 9_999 }), 'NOT_FOUND');
    expectProblem(await a.api('GET', '/config/versions/9999'), 'NOT_FOUND');
    expectProblem(await a.api('GET', '/config/versions/x'), 'VALIDATION_FAILED');
  });
});

describe('a time-boxed change', () => {
  test('takes itself back by a version of its own, to what was before', async () => {
    await set({ LOG_LEVEL: 'warn' });
    const { version: boxed, expires_at } = await set({ LOG_LEVEL: 'fatal', RUNNER_SLOTS: 5 }, { expires_in_seconds: 1 });
    expect(await settingOf(a, 'LOG_LEVEL')).toMatchObject({ value: 'fatal', expires_at });
    await set({ RUNNER_SLOTS: 6 });
    const reverted = await until('it to be taken back', async () => {
      const { body } = await b.api('GET', '/config/history?limit=1');
      return body.items[0].by === 'clock' && body.items[0];
    });
    // What somebody has changed since stays.
    expect(reverted).toMatchObject({ reverted_from: boxed, changes: [{ key: 'LOG_LEVEL', from: 'fatal', to: 'warn' }] });
    await applied(reverted.version);
    expect((await settingOf(b, 'LOG_LEVEL')).value).toBe('warn');
    expect((await settingOf(b, 'RUNNER_SLOTS')).value).toBe(6);
    await set({ LOG_LEVEL: null, RUNNER_SLOTS: null });
  });

  test('ends also when all replicas were away meanwhile', async () => {
    await using own = await createDatabase();
    const first = await startTestServer({ ADMIN_TOKEN: token }, own.url);
    const { version: boxed } = await set({ LOG_LEVEL: 'fatal' }, { expires_in_seconds: 1 }, {}, first);
    await first.close();
    const second = await startTestServer({ ADMIN_TOKEN: token }, own.url);
    await until('it to be taken back', async () => (await settingOf(second, 'LOG_LEVEL')).value === 'error');
    expect((await second.api('GET', '/config/history')).body.items[0]).toMatchObject({ by: 'clock', reverted_from: boxed });
    await second.close();
  });
});

describe('maintenance', () => {
  test('refuses writes on every replica, begins nothing, and goes on with reads and probes', async () => {
    const { body: waiting } = await a.api('POST', '/tasks', { name: 'waits' });
    await applied((await set({ MAINTENANCE_MODE: true })).version);
    for (const at of [a, b]) {
      const refused = await at.api('POST', '/tasks', { name: 'x' });
      expectProblem(refused, 'UNAVAILABLE');
      expect(refused.body.detail).toContain('MAINTENANCE_MODE');
      expect((await at.api('GET', '/tasks')).status).toBe(200);
      expect((await at.api('GET', '/health/live')).status).toBe(200);
      // A machine that is busy with other tests may be late, which is not what is asked here.
      expect((await at.api('GET', '/health/ready')).body.details).toMatchObject({
        lifecycle: { state: 'ready' },
        config: { status: 'up' },
      });
    }
    const socket = await connectSocket(`${b.url}/tasks`, { auth: { token } });
    expect(await ask(socket, 'create', { name: 'x' })).toMatchObject({ error: { code: 'UNAVAILABLE' } });
    expect(await ask(socket, 'list', {})).toHaveProperty('items');
    closeSockets();
    const grpc = new GrpcClient(b.server.grpcAddress, token);
    await expect(grpc.call('CreateTask', { task: { name: 'x' } })).rejects.toMatchObject({ reason: 'UNAVAILABLE' });
    grpc.close();
    // Something that is queued all the same, as a schedule would do it.
    await b.server.kernel.engine.execute({ tenant_id: 'default', id: waiting.id });
    b.server.kernel.wakeUps.signal('queued');
    expect(await b.server.kernel.engine.claim({ worker_ids: ['test'], types: ['echo'], limit: 1, lease_seconds: 30 })).toEqual([]);
    expect((await a.api('GET', `/tasks/${waiting.id}`)).body.status).toBe('queued');
    await applied((await set({ MAINTENANCE_MODE: false }, {}, {}, b)).version);
    await until('it to run', async () => (await a.api('GET', `/tasks/${waiting.id}`)).body.status === 'completed');
    expect((await a.api('POST', '/tasks', { name: 'x' })).status).toBe(201);
    await set({ MAINTENANCE_MODE: null });
  });
});

test('slots that are added run tasks at once', async () => {
  await applied((await set({ RUNNER_SLOTS: 0 })).version);
  const { body: task } = await a.api('POST', '/tasks', { name: 'waits', start: 'auto' });
  expect(task.status).toBe('queued');
  await set({ RUNNER_SLOTS: 1 });
  await until('it to run', async () => (await a.api('GET', `/tasks/${task.id}`)).body.status === 'completed', 5_000);
  await set({ RUNNER_SLOTS: null });
});

describe('over the other doors', () => {
  afterEach(closeSockets);

  test('a socket changes settings, and hears of every change with its seq', async () => {
    const socket = await connectSocket(`${b.url}/config`, { auth: { token } });
    const { seq } = await ask(socket, 'subscribe', {});
    const heard: Any[] = [];
    const before = await version();
    // Events of the changes before may still be on their way.
    socket.on('config_updated', (event) => event.version > before && heard.push(event));
    const { version: number } = await ask(socket, 'set', { changes: { LOG_LEVEL: 'fatal' }, reason: 'quiet' });
    await set({ LOG_LEVEL: 'warn' });
    await until('both events', () => heard.length === 2);
    expect(heard).toMatchObject([
      { action: 'config_updated', version: number, by: 'root', reason: 'quiet', changes: [{ key: 'LOG_LEVEL', from: null, to: 'fatal' }] },
      { action: 'config_updated', version: number + 1, changes: [{ key: 'LOG_LEVEL', from: 'fatal', to: 'warn' }] },
    ]);
    expect(heard[0].seq).toBeGreaterThan(seq);
    await applied(number + 1);
    expect(await ask(socket, 'get', {})).toMatchObject({ version: number + 1 });
    expect(await ask(socket, 'history', { limit: 1 })).toMatchObject({ items: [{ version: number + 1 }] });
    expect(await ask(socket, 'version', { version: number })).toMatchObject({ reason: 'quiet' });
    expect(await ask(socket, 'set', { changes: { LOG_LEVEL: 'info' }, version: number })).toMatchObject({
      error: { code: 'VERSION_MISMATCH' },
    });
    expect(await ask(socket, 'rollback', { version: 0 })).toMatchObject({ version: number + 2 });
    expect(await ask(await connectSocket(`${b.url}/config`), 'set', { changes: { LOG_LEVEL: 'info' } })).toMatchObject({
      error: { code: 'FORBIDDEN' },
    });
  });

  test('gRPC does the same, and watches', async () => {
    const service = 'arkitect.v1.ConfigService';
    const grpc = new GrpcClient(a.server.grpcAddress, token);
    const stream = grpc.stream('WatchConfig', {}, service);
    const watched: Any[] = [];
    stream.on('data', (message: unknown) => watched.push(message));
    stream.on('error', () => undefined);
    await until('the start', () => watched.length === 1);
    const made = await grpc.call('SetConfig', { changes: { CORS_ORIGINS: ['https://a.example'] }, expires_in_seconds: 600 }, service);
    expect(made).toMatchObject({ changes: [{ key: 'CORS_ORIGINS', to: ['https://a.example'] }], effects: [{ takes_effect: 'live' }] });
    const event = await until('the event', () => watched.map((message) => message.event).find((heard) => heard?.version === made.version));
    expect(event).toMatchObject({ action: 'config_updated', changes: [{ key: 'CORS_ORIGINS' }] });
    const { settings } = await grpc.call('GetConfig', {}, service);
    expect(settings.find(({ key }: Any) => key === 'CORS_ORIGINS')).toMatchObject({ value: ['https://a.example'], source: 'override' });
    expect((await grpc.call('GetConfigVersion', { version: made.version }, service)).overrides).toEqual({
      CORS_ORIGINS: ['https://a.example'],
    });
    expect((await grpc.call('ListConfigHistory', { limit: 1 }, service)).items).toMatchObject([{ version: made.version }]);
    expect((await grpc.call('GetConfigSchema', {}, service)).schema.properties.LOG_LEVEL).toBeDefined();
    await expect(grpc.call('SetConfig', { changes: { LOG_LEVEL: 'x' }, version: 1 }, service)).rejects.toMatchObject({
      reason: 'VALIDATION_FAILED',
    });
    await grpc.call('RollbackConfig', { version: 0 }, service);
    stream.cancel();
    grpc.close();
  });
});

test('four replicas acknowledge each change within a second', async () => {
  const more = await Promise.all([1, 2].map(() => startTestServer({ ADMIN_TOKEN: token, RUNNER_SLOTS: '0' }, database.url)));
  const took: number[] = [];
  for (let index = 1; index <= 20; index++) {
    const { version: number } = await set({ ALERTS_FLAPPING_COUNT: index + 10 });
    const made = await until('all four to apply it', async () => {
      const { body } = await a.api('GET', `/config/versions/${number}`);
      return body.complete && body.replicas.length === 4 && body;
    });
    took.push(slowest(made));
    for (const { server } of [a, b, ...more]) expect(server.kernel.settings.ALERTS_FLAPPING_COUNT).toBe(index + 10);
  }
  expect(Math.max(...took)).toBeLessThan(1_000);
  await Promise.all(more.map((server) => server.close()));
});
