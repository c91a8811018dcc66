import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { randomUUIDv7 } from 'node:crypto';
import inspector from 'node:inspector';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ActionsService } from '../../src/admin/actions/actions.service.js';
import { ActionsStore } from '../../src/admin/actions/actions.store.js';
import type { SettingKey } from '../../src/settings.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { expectProblem } from '../support/problem.js';
import { startTestServer, type Answer, type TestServer } from '../support/server.js';
import { until } from '../support/until.js';

let database: TestDatabase;
let a: TestServer;
let b: TestServer;
let directory: string;
/** Of b alone. */
let envFile: string;
beforeAll(async () => {
  database = await createDatabase();
  directory = mkdtempSync(join(tmpdir(), 'arkitect-actions-'));
  envFile = join(directory, '.env');
  const own = { ADMIN_TOKEN: 'a-token-of-the-tests-0123456789' };
  // One of the tests makes them fail, and tell so.
  const log = { write: () => undefined };
  a = await startTestServer(own, database.url, { log });
  b = await startTestServer(own, database.url, { envFile, log });
});
afterAll(async () => {
  await Promise.all([a, b].map((server) => server.close()));
  await database.drop();
  rmSync(directory, { recursive: true });
});

// What a test reads from an answer is checked by its assertions.
// oxlint-disable-next-line typescript/no-explicit-any
type Any = any;

const run = (action: string, parameters: object = {}, rest: object = {}, headers: Record<string, string> = {}, at = a): Promise<Answer> =>
  at.api('POST', '/admin/actions', { action, parameters, ...rest }, headers);
const done = async (action: string, parameters: object = {}, rest: object = {}) => {
  const { status, body } = await run(action, parameters, rest);
  expect(status, JSON.stringify(body)).toBeLessThan(203);
  return ended(body.id);
};
const ended = (id: string, at = a): Promise<Any> =>
  until(`run ${id} to end`, async () => {
    const { body } = await at.api('GET', `/admin/actions/${id}`);
    return body.finished_at !== null && body;
  });
const create = async (fields: object = {}, at = a) => (await at.api('POST', '/tasks', { name: 'a task', ...fields })).body;
const statusOf = async (id: string) => (await a.api('GET', `/tasks/${id}`)).body.status as string;
/** The answer waits for the other replica, but not for ever: the hint may be lost. */
const everywhere = (key: SettingKey, value: unknown) =>
  until(`${key} to be ${String(value)} everywhere`, () => [a, b].every((server) => server.server.kernel.settings[key] === value));
const replicaOf = (server: TestServer) => server.server.kernel.replicaId;

test('all actions are described', async () => {
  const { body } = await a.api('GET', '/admin/actions');
  expect(body.items.map(({ action }: Any) => action).toSorted()).toEqual(
    [
      'pause_all',
      'resume_all',
      'maintenance_on',
      'maintenance_off',
      'set_log_level',
      'reload_config',
      'drain_replica',
      'resume_replica',
      'clear_cache',
      'purge_tasks',
      'vacuum',
      'reindex',
      'run_retention',
      'requeue_expired',
      'rotate_admin_token',
      'heap_snapshot',
      'cpu_profile',
      'diagnostics',
    ].toSorted(),
  );
  const purge = body.items.find(({ action }: Any) => action === 'purge_tasks');
  expect(purge).toMatchObject({ danger: 'destructive', role: 'admin', dry_run: true, confirm: true, job: true });
  expect(purge.parameters).toMatchObject({
    required: ['status'],
    additionalProperties: false,
    properties: { finished_before: { format: 'date-time' } },
  });
});

describe('pausing', () => {
  test('keeps queued tasks from beginning on every replica until they are resumed', async () => {
    const dry = await run('pause_all', {}, { dry_run: true });
    expect(dry.body).toMatchObject({ status: 'completed', dry_run: true, result: { effects: [{ key: 'CLAIMS_PAUSED', to: true }] } });
    expect(a.server.kernel.settings.CLAIMS_PAUSED).toBe(false);
    const paused = await run('pause_all', { reason: 'a test' });
    expect(paused.status).toBe(200);
    expect(paused.body).toMatchObject({
      status: 'completed',
      progress: 100,
      created_by: 'root',
      result: { changes: [{ key: 'CLAIMS_PAUSED' }], replicas: [{}, {}] },
    });
    expect(paused.body.request_id).toBe(paused.headers.get('x-request-id'));
    await everywhere('CLAIMS_PAUSED', true);
    const waiting = await create({ start: 'auto' });
    const elsewhere = await create({ start: 'auto' }, b);
    for (const { kernel } of [a.server, b.server])
      expect(await kernel.engine.claim({ worker_ids: ['w'], types: ['echo'], limit: 9, lease_seconds: 9 })).toEqual([]);
    expect([await statusOf(waiting.id), await statusOf(elsewhere.id)]).toEqual(['queued', 'queued']);
    await done('resume_all');
    for (const { id } of [waiting, elsewhere]) await until('it to run', async () => (await statusOf(id)) === 'completed');
    // Nothing is left that would hide what .env says.
    expect((await a.api('GET', '/config')).body.settings.find(({ key }: Any) => key === 'CLAIMS_PAUSED').source).toBe('default');
  });
});

test('a log level that is set for a while, and maintenance, are versions of the configuration', async () => {
  const { result } = await done('set_log_level', { level: 'fatal', expires_in_seconds: 600 });
  expect(result).toMatchObject({ expires_at: expect.any(String), replicas: [{}, {}] });
  await everywhere('LOG_LEVEL', 'fatal');
  await done('maintenance_on');
  await everywhere('MAINTENANCE_MODE', true);
  expectProblem(await b.api('POST', '/tasks', { name: 'x' }), 'UNAVAILABLE');
  await done('maintenance_off');
  await everywhere('MAINTENANCE_MODE', false);
  expect((await b.api('POST', '/tasks', { name: 'x' })).status).toBe(201);
  await a.api('POST', '/config', { changes: { LOG_LEVEL: null } });
});

test('what is wrong is refused before anything is done, and named', async () => {
  const { body: before } = await a.api('GET', '/admin/actions/runs?limit=1');
  const wrong: [body: object, code: Parameters<typeof expectProblem>[1], field: string][] = [
    [{ action: 'explode' }, 'VALIDATION_FAILED', 'action'],
    [{ action: 'set_log_level' }, 'VALIDATION_FAILED', 'parameters.level'],
    [{ action: 'set_log_level', parameters: { level: 'info', colour: 'red' } }, 'VALIDATION_FAILED', 'parameters.colour'],
    [{ action: 'pause_all', parameters: { expires_in_seconds: 0 } }, 'VALIDATION_FAILED', 'parameters.expires_in_seconds'],
    [{ action: 'resume_replica', parameters: { replica_id: 'x' }, dry_run: true }, 'VALIDATION_FAILED', 'dry_run'],
    [{ action: 'vacuum', parameters: { tables: ['tasks; DROP TABLE x'] } }, 'VALIDATION_FAILED', 'parameters.tables'],
    [{ action: 'reindex', parameters: { tables: ['nope'] } }, 'VALIDATION_FAILED', 'parameters.tables'],
    [{ action: 'vacuum', confirm: 'abc' }, 'VALIDATION_FAILED', 'confirm'],
    [{ action: 'purge_tasks', parameters: { status: ['running'] } }, 'VALIDATION_FAILED', 'parameters.status'],
    [{ action: 'purge_tasks', parameters: { status: ['completed'] } }, 'VALIDATION_FAILED', 'confirm'],
    [{ action: 'cpu_profile', parameters: { seconds: 61 } }, 'VALIDATION_FAILED', 'parameters.seconds'],
    [{ action: 'rotate_admin_token', parameters: { overlap_seconds: 604_801 } }, 'VALIDATION_FAILED', 'parameters.overlap_seconds'],
  ];
  for (const [body, code, field] of wrong) {
    const answer = await a.api('POST', '/admin/actions', body);
    expectProblem(answer, code);
    expect(answer.body.errors.map((error: Any) => error.field)).toContain(field);
  }
  expectProblem(await run('drain_replica', { replica_id: 'nobody' }), 'NOT_FOUND');
  expectProblem(await a.api('GET', '/admin/actions/00000000-0000-7000-8000-000000000000'), 'NOT_FOUND');
  expect((await a.api('GET', '/admin/actions/runs?limit=1')).body).toEqual(before);
});

test('an Idempotency-Key has something done once, whatever becomes of it', async () => {
  const key = { 'idempotency-key': 'actions-1' };
  const first = await run('requeue_expired', {}, {}, key);
  const again = await run('requeue_expired', {}, {}, key);
  expect(again.body.id).toBe(first.body.id);
  expect([first, again].map(({ headers }) => headers.get('idempotency-replayed'))).toEqual([null, 'true']);
  expectProblem(await run('requeue_expired', {}, { dry_run: true }, key), 'IDEMPOTENCY_KEY_REUSED');
  expectProblem(await run('vacuum', {}, {}, key), 'IDEMPOTENCY_KEY_REUSED');
  const both = await Promise.all([1, 2].map(() => run('clear_cache', {}, {}, { 'idempotency-key': 'actions-2' })));
  expect(new Set(both.map(({ body }) => body.id)).size).toBe(1);
  await ended(first.body.id);
  // One that fails is not tried again either.
  const sql = (text: string) => a.server.kernel.database.api.queryText(text);
  const rotate = () => run('rotate_admin_token', {}, {}, { 'idempotency-key': 'actions-3' });
  await sql('ALTER TABLE admin_tokens RENAME TO away');
  const failed = await rotate();
  await sql('ALTER TABLE away RENAME TO admin_tokens');
  for (const answer of [failed, await rotate()]) expectProblem(answer, 'INTERNAL');
  const { items } = (await a.api('GET', '/admin/actions/runs?action=rotate_admin_token&status=failed')).body;
  expect(items).toMatchObject([{ error: { code: 'INTERNAL' } }]);
});

test('what every replica does is answered with what each has done', async () => {
  const reload = async () => {
    const { status, replica_id, result } = await done('reload_config');
    expect([status, replica_id]).toEqual(['completed', null]);
    const { replicas } = result;
    return [a, b].map((server) => replicas.find(({ replica_id }: Any) => replica_id === replicaOf(server)));
  };
  writeFileSync(envFile, 'TASKS_DEFAULT_TYPE=sleep\n');
  expect(await reload()).toMatchObject([
    { status: 'completed', env_file: 'none', problem: null },
    { status: 'completed', env_file: 'taken', problem: null },
  ]);
  expect(b.server.kernel.settings.TASKS_DEFAULT_TYPE).toBe('sleep');
  writeFileSync(envFile, 'TASKS_RETENTION_DAYS=never\n');
  expect(await reload()).toMatchObject([
    { env_file: 'none' },
    { env_file: 'broken', problem: expect.stringContaining('TASKS_RETENTION_DAYS') },
  ]);
  writeFileSync(envFile, '');
  expect(await reload()).toMatchObject([{ env_file: 'none' }, { env_file: 'taken' }]);

  const { result } = await done('clear_cache');
  expect(result.replicas).toHaveLength(2);
  for (const replica of result.replicas) expect(replica.connections_without_plans).toBeGreaterThan(0);
});

describe('a purge', () => {
  const preview = async (parameters: object) => (await run('purge_tasks', parameters, { dry_run: true })).body;
  const queue = 'to-purge';

  test('takes what its dry run has shown, with the token of that, and nothing that runs', async () => {
    const sleeping = await create({ queue, type: 'sleep', parameters: { seconds: 60 }, start: 'auto' });
    const kept = await create({ queue: 'other' });
    for (let index = 0; index < 12; index++) await create({ queue });
    await until('it to run', async () => (await statusOf(sleeping.id)) === 'running');
    const filter = { status: ['pending', 'queued', 'completed'], queue: [queue] };
    const { result, shown_once, ...rest } = await preview(filter);
    expect(result).toMatchObject({ count: 12, sample: expect.arrayContaining([expect.objectContaining({ status: 'pending' })]) });
    expect(result.sample).toHaveLength(10);
    expect((await a.api('GET', `/tasks?queue=${queue}`)).body.items).toHaveLength(13);
    expect(rest.dry_run).toBe(true);
    const { confirm } = shown_once;
    // Not even by its digest does anybody learn it.
    expect(JSON.stringify((await a.api('GET', `/admin/actions/${rest.id}`)).body)).not.toContain(confirm);
    for (const [parameters, token] of [
      [{ ...filter, queue: ['other'] }, confirm],
      [{ ...filter, status: ['pending'] }, confirm],
      [filter, 'a-token-that-nobody-gave'],
    ])
      expectProblem(await run('purge_tasks', parameters as object, { confirm: token }), 'VALIDATION_FAILED');
    // Nobody who has confirmed has seen it.
    const younger = await create({ queue });
    const purged = await done('purge_tasks', filter, { confirm });
    expect(purged).toMatchObject({ status: 'completed', result: { deleted: 12 }, progress: 100 });
    expect((await a.api('GET', `/tasks?queue=${queue}`)).body.items.map(({ id }: Any) => id)).toEqual([younger.id, sleeping.id]);
    expect(await statusOf(kept.id)).toBe('pending');
    const told = await a.server.kernel.database.api.queryText<{ count: number }>(
      `SELECT count(*) AS count FROM events WHERE action = 'task_deleted' AND queue = '${queue}'`,
    );
    expect(told).toEqual([{ count: 12 }]);
    // Once.
    expectProblem(await run('purge_tasks', filter, { confirm }), 'VALIDATION_FAILED');
    await a.api('POST', `/tasks/${sleeping.id}/cancel`);
  });

  test('needs a token that is young', async () => {
    const filter = { status: ['failed'], finished_before: '2020-01-01T00:00:00.000Z' };
    const { id, shown_once } = await preview(filter);
    await a.server.kernel.database.api.queryText(`UPDATE admin_actions SET finished_at = now() - interval '11 minutes' WHERE id = '${id}'`);
    const late = await run('purge_tasks', filter, { confirm: shown_once.confirm });
    expectProblem(late, 'VALIDATION_FAILED');
    expect(late.body.detail).toContain('expired');
  });
});

test('jobs of the database do what they say, one at a time', async () => {
  const sql = <Row>(text: string) => a.server.kernel.database.api.queryText<Row>(text);
  const tables = ['tasks', 'events'];
  const { body: listed } = await run('vacuum', { tables }, { dry_run: true });
  expect(listed.result.tables.map(({ name }: Any) => name)).toEqual(['events', 'tasks']);
  const before = await sql<{ id: number }>(`SELECT relfilenode AS id FROM pg_class WHERE relname = 'tasks_pkey'`);
  expect((await done('vacuum', { tables })).result).toMatchObject({ tables: ['events', 'tasks'], bytes_after: expect.any(Number) });
  expect((await done('reindex', { tables: ['tasks'] })).status).toBe('completed');
  expect(await sql(`SELECT relfilenode AS id FROM pg_class WHERE relname = 'tasks_pkey'`)).not.toEqual(before);
  const other = await a.server.kernel.database.connect('another upkeep');
  await other.query('SELECT pg_advisory_lock(4711000017)');
  expect(await done('vacuum', { tables })).toMatchObject({ status: 'failed', error: { code: 'CONFLICT' } });
  await other.end();
  await sql(
    `INSERT INTO idempotency_keys (tenant_id, key, request_hash, created_at) VALUES ('default', 'old', '', now() - interval '9 days')`,
  );
  await sql('DELETE FROM log_lines');
  await sql(
    `WITH position AS (UPDATE log_position SET last_id = last_id + 1 RETURNING last_id)
     INSERT INTO log_lines (id, at, replica_id, level, msg, fields) SELECT last_id, now() - interval '9 days', 'gone', 30, 'old', '{}' FROM position`,
  );
  expect((await run('run_retention', {}, { dry_run: true })).body.result).toMatchObject({
    idempotency_keys: 1,
    tasks: 0,
    audit_records: 0,
  });
  expect((await done('run_retention')).result).toMatchObject({ idempotency_keys: expect.any(Number), tasks: 0 });
  expect(await sql(`SELECT FROM idempotency_keys WHERE key = 'old'`)).toEqual([]);
});

test('tasks whose worker is gone are taken back now', async () => {
  const task = await create({ type: 'sleep', parameters: { seconds: 60 }, start: 'auto' });
  await until('it to run', async () => (await statusOf(task.id)) === 'running');
  const expire = `UPDATE tasks SET lease_expires_at = now() - interval '1 s' WHERE id = '${task.id}' AND status = 'running'`;
  await until('one that was not taken back by the leader before', async () => {
    await a.server.kernel.database.api.queryText(expire);
    const dry = (await run('requeue_expired', {}, { dry_run: true })).body.result.expired as number;
    return (await done('requeue_expired')).result.rescued === 1 && dry === 1;
  });
  await until('another attempt', async () => (await a.api('GET', `/tasks/${task.id}`)).body.attempt > 1);
  await a.api('POST', `/tasks/${task.id}/cancel`);
});

test('a profile of another replica is downloaded from this one, and the inspector listens nowhere', async () => {
  const started = await run('cpu_profile', { replica_id: replicaOf(b), seconds: 1 });
  expect(started.status).toBe(202);
  expect(started.headers.get('location')).toBe(`/admin/actions/${started.body.id}`);
  await until('it to run', async () => (await a.api('GET', `/admin/actions/${started.body.id}`)).body.status === 'running');
  expect(inspector.url()).toBeUndefined();
  const profiled = await ended(started.body.id);
  expect(profiled).toMatchObject({ status: 'completed', replica_id: replicaOf(b), file_name: `${replicaOf(b)}.cpuprofile.gz` });
  const { headers, bytes } = await download(profiled.id);
  expect(headers.get('content-disposition')).toContain(profiled.file_name);
  expect(bytes).toHaveLength(profiled.file_bytes);
  expect(JSON.parse(gunzipSync(bytes).toString()).nodes.length).toBeGreaterThan(0);
  // Nobody needs it after an hour.
  const { database: own } = a.server.kernel;
  await own.api.queryText(`UPDATE admin_actions SET finished_at = now() - interval '61 minutes' WHERE id = '${profiled.id}'`);
  await new ActionsStore(own).prune(3_600, 90);
  expectProblem(await a.api('GET', `/admin/actions/${profiled.id}/file`), 'NOT_FOUND');
  expect(await own.api.queryText('SELECT FROM admin_action_pieces')).toEqual([]);
});

test('a hint that is lost costs time alone: a replica looks with each sign of life', async () => {
  const id = randomUUIDv7();
  await a.server.kernel.database.api.queryText(
    `INSERT INTO admin_actions (id, action, parameters, dry_run, status, replica_id, created_by) VALUES ($1, 'requeue_expired', '{}', false, 'queued', $2, 'root')`,
    [id, replicaOf(b)],
  );
  // And one whose end could not be stored.
  const lost = randomUUIDv7();
  await a.server.kernel.database.api.queryText(
    `INSERT INTO admin_actions (id, action, parameters, dry_run, status, replica_id, created_by, started_at)
     VALUES ($1, 'vacuum', '{}', false, 'running', $2, 'root', now() - interval '1 minute')`,
    [lost, replicaOf(b)],
  );
  await b.server.kernel.config.refresh();
  expect(await ended(id)).toMatchObject({ status: 'completed', replica_id: replicaOf(b) });
  expect(await ended(lost)).toMatchObject({ status: 'failed', error: { code: 'UNAVAILABLE' } });
});

test('what a replica is at when it is stopped ends as failed', async () => {
  const third = await startTestServer({ ADMIN_TOKEN: a.token, RUNNER_SLOTS: '0' }, database.url);
  const { body: started } = await run('cpu_profile', { seconds: 60 }, {}, {}, third);
  expect(started.status).toBe('running');
  await third.close();
  expect(await ended(started.id)).toMatchObject({ status: 'failed', error: { code: 'UNAVAILABLE' } });
});

test('an admin may not do what is for root alone, nor delete what is of others', async () => {
  const admin = { tenant_id: 'other', role: 'admin', name: 'an admin' } as const;
  const service = a.server.app.get(ActionsService, { strict: false });
  const act = (action: string, parameters: object) => service.run(admin, { action, parameters: { ...parameters }, dry_run: true });
  const mine = await create({ queue: 'mine' });
  for (const action of ['rotate_admin_token', 'heap_snapshot']) await expect(act(action, {})).rejects.toMatchObject({ code: 'FORBIDDEN' });
  await expect(act('purge_tasks', { status: ['pending'], tenant_id: 'default' })).rejects.toMatchObject({ code: 'FORBIDDEN' });
  const { answer } = await act('purge_tasks', { status: ['pending'] });
  expect(answer).toMatchObject({ created_by: 'an admin', parameters: { tenant_id: 'other' }, result: { count: 0 } });
  // Nor does the token of a dry run of his help somebody else.
  const confirm = answer.shown_once!.confirm as string;
  expectProblem(await run('purge_tasks', { status: ['pending'], tenant_id: 'other' }, { confirm }), 'VALIDATION_FAILED');
  expect(await statusOf(mine.id)).toBe('pending');
});

async function download(id: string, at = a): Promise<{ headers: Headers; bytes: Buffer }> {
  const response = await fetch(`${at.url}/admin/actions/${id}/file`, { headers: { authorization: `Bearer ${at.token}` } });
  expect(response.status).toBe(200);
  return { headers: response.headers, bytes: Buffer.from(await response.arrayBuffer()) };
}
