import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { GrpcClient } from '../support/grpc.js';
import { expectProblem } from '../support/problem.js';
import { call, startTestServer, type TestServer } from '../support/server.js';
import { ask, closeSockets, connectSocket } from '../support/socket-client.js';
import { until } from '../support/until.js';

// What a test reads from an answer is checked by its assertions.
// oxlint-disable-next-line typescript/no-explicit-any
type Any = any;

const admin = 'arkitect.v1.AdminService';

let server: TestServer;
let grpc: GrpcClient;
beforeAll(async () => {
  server = await startTestServer({ RUNNER_SLOTS: '0' });
  grpc = new GrpcClient(server.server.grpcAddress, server.token);
});
afterEach(closeSockets);
afterAll(async () => {
  grpc.close();
  await server.close();
});

const records = async (query = ''): Promise<Any[]> => (await server.api('GET', `/admin/audit?limit=200&${query}`)).body.items;
const newest = async (query = ''): Promise<Any> => (await records(query))[0];
const verify = async (): Promise<Any> => (await server.api('GET', '/admin/audit/verify')).body;
const socket = (namespace: string) => connectSocket(`${server.url}/${namespace}`, { auth: { token: server.token } });

describe('a change is recorded before its answer', () => {
  test('over REST, with who, what, from where and by which request', async () => {
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    const { body: task } = await server.api('POST', '/tasks', { name: 'old', parameters: { a: 1 } });
    const headers = { 'x-request-id': 'my-request', traceparent };
    await server.api('PATCH', `/tasks/${task.id}`, { name: 'new', parameters: { a: 2 } }, headers);
    expect(await records('request_id=my-request')).toEqual([
      {
        seq: expect.any(Number),
        at: expect.stringMatching(/Z$/),
        tenant_id: 'default',
        principal: 'root',
        role: 'root',
        door: 'rest',
        operation: 'tasks.update',
        target: task.id,
        before: { name: 'old', version: 1, parameters_sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
        after: { name: 'new', version: 2, parameters_sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
        outcome: 'ok',
        request_id: 'my-request',
        trace_id: traceparent.slice(3, 35),
        address: '127.0.0.1',
        previous_hash: expect.stringMatching(/^[0-9a-f]{64}$/),
        hash: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    ]);
    await server.api('POST', `/tasks/${task.id}/execute`);
    expect(await newest()).toMatchObject({ operation: 'tasks.execute', before: { status: 'pending' }, after: { status: 'queued' } });
    await server.api('POST', `/tasks/${task.id}/cancel`);
    expect(await newest()).toMatchObject({ operation: 'tasks.cancel', before: { status: 'queued' }, after: { status: 'cancelled' } });
    await server.api('POST', `/tasks/${task.id}/retry`);
    expect(await newest()).toMatchObject({ operation: 'tasks.retry', before: { status: 'cancelled' }, after: { status: 'queued' } });
    await server.api('DELETE', `/tasks/${task.id}`);
    expect(await newest()).toMatchObject({ operation: 'tasks.delete', target: task.id, before: { name: 'new' }, after: null });
  });

  test('over Socket.IO and gRPC', async () => {
    const tasks = await socket('tasks');
    const task = await ask(tasks, 'create', { name: 'a' });
    await ask(tasks, 'update', { id: task.id, priority: 'high' });
    const asked = { operation: 'tasks.update', target: task.id, before: { priority: 'medium' }, address: '127.0.0.1' };
    expect(await newest()).toMatchObject({ ...asked, door: 'socket.io', after: { priority: 'high' } });
    await grpc.call('UpdateTask', { id: task.id, task: { priority: 'low' } });
    expect(await newest()).toMatchObject({ ...asked, door: 'grpc', before: { priority: 'high' }, after: { priority: 'low' } });
    await grpc.call('SetConfig', { changes: { LOG_LEVEL: 'fatal' } }, 'arkitect.v1.ConfigService');
    expect(await newest()).toMatchObject({ operation: 'config.write', before: { LOG_LEVEL: null }, after: { LOG_LEVEL: 'fatal' } });
  });

  test('of alerts, their rules, routes, silences and channels', async () => {
    const made = async (path: string, body: object) => (await server.api('POST', path, body)).body.id as string;
    const alert = await made('/alerts', { name: 'a', labels: { team: 'x' } });
    expect(await newest()).toMatchObject({ operation: 'alerts.create', target: alert, after: { name: 'a', status: 'open' } });
    // The same alert again is none that is new.
    await made('/alerts', { name: 'a', labels: { team: 'x' } });
    await server.api('POST', '/api/v2/alerts', [{ labels: { alertname: 'b' } }, { labels: { alertname: 'c' } }]);
    await server.api('POST', '/api/v2/alerts', [{ labels: { alertname: 'b' } }]);
    expect((await records('operation=alerts.create')).map(({ after }) => after.name)).toEqual(['c', 'b', 'a']);
    await server.api('POST', `/alerts/${alert}/acknowledge`, {});
    await server.api('POST', `/alerts/${alert}/resolve`, {});
    const [resolved, acknowledged] = await records(`target=${alert}`);
    expect(acknowledged).toMatchObject({ operation: 'alerts.acknowledge', before: { status: 'open' }, after: { status: 'acknowledged' } });
    expect(resolved).toMatchObject({ operation: 'alerts.resolve', before: { status: 'acknowledged' }, after: { status: 'resolved' } });

    const rule = await made('/alerts/rules', { name: 'r', spec: { metric: 'm', threshold: 1 } });
    await server.api('PATCH', `/alerts/rules/${rule}`, { enabled: false });
    await server.api('DELETE', `/alerts/rules/${rule}`);
    expect((await records(`target=${rule}`)).map(({ before, after }) => [before?.enabled, after?.enabled])).toEqual([
      [false, undefined],
      [true, false],
      [undefined, true],
    ]);
    await server.api('PUT', '/alerts/routes', { routes: [], default_route: { channels: [] }, inhibitions: [] });
    expect(await newest()).toMatchObject({ operation: 'alerts.routes.manage', outcome: 'ok' });
    const ends_at = new Date(Date.now() + 60_000).toISOString();
    const silence = await made('/alerts/silences', { matchers: [{ label: 'a', operator: '=', value: 'b' }], ends_at, comment: 'c' });
    await server.api('DELETE', `/api/v2/silence/${silence}`);
    expect(await newest()).toMatchObject({ target: silence, before: { status: 'active' }, after: { status: 'expired' } });
  });

  test('not when nothing has changed, nor when something is created, unless AUDIT_TASKS is all', async () => {
    const { seq } = await newest();
    const { body: task } = await server.api('POST', '/tasks', { name: 'a' });
    await server.api('POST', '/config?dry_run=true', { changes: { LOG_LEVEL: 'warn' } });
    await server.api('GET', `/tasks/${task.id}`);
    expect((await newest()).seq).toBe(seq);
    await server.api('POST', '/config', { changes: { AUDIT_TASKS: 'all' } });
    await server.api('POST', '/tasks/bulk', { tasks: [{ name: 'b' }, { name: 'c' }] });
    expect((await records('operation=tasks.create')).map(({ after }) => after.name)).toEqual(['c', 'b']);
    await server.api('POST', '/config', { changes: { AUDIT_TASKS: 'none' } });
    const at = (await newest()).seq;
    await server.api('DELETE', `/tasks/${task.id}`);
    expect((await newest()).seq).toBe(at);
    await server.api('POST', '/config', { changes: { AUDIT_TASKS: null } });
  });

  test('never with a secret', async () => {
    const canary = 'canary-of-a-secret-9d41';
    const url = `http://127.0.0.1:9/${canary}`;
    const { body: webhook } = await server.api('POST', '/alerts/channels', {
      name: 'w',
      kind: 'webhook',
      spec: { url: 'http://127.0.0.1:9/', secret: canary },
    });
    await server.api('PATCH', `/alerts/channels/${webhook.id}`, { spec: { bearer_token: canary, secret: `${canary}2` } });
    await server.api('DELETE', `/alerts/channels/${webhook.id}`);
    await server.api('POST', '/alerts/channels', { name: 's', kind: 'slack', spec: { url } });
    const { body: task } = await server.api('POST', '/tasks', {
      name: 'a',
      type: 'http.request',
      parameters: { url, headers: { 'x-key': canary } },
    });
    await server.api('PATCH', `/tasks/${task.id}`, { parameters: { headers: { 'x-key': `${canary}2` } } });
    await server.api('POST', '/config', { changes: { ADMIN_TOKEN: canary } });
    await server.api('DELETE', `/tasks/${task.id}`);
    expect(await records(`target=${webhook.id}`)).toHaveLength(3);
    expect(await records(`target=${task.id}`)).toHaveLength(2);
    expect(await newest('operation=config.write')).toMatchObject({ outcome: 'VALIDATION_FAILED' });
    const stored = await server.server.kernel.database.api.queryText('SELECT * FROM audit_log');
    expect(JSON.stringify(stored)).not.toContain(canary);
    expect(JSON.stringify(stored)).not.toContain(server.token);
  });
});

describe('who is refused', () => {
  test('is recorded with the code of the error, on every door', async () => {
    const viewers = await startTestServer({ AUTH_ANONYMOUS_ROLE: 'viewer', RUNNER_SLOTS: '0' });
    const id = '0198f3c2-7d1e-7a55-9b5e-3f0c8a1d2e4b';
    expectProblem(await call(viewers.url, 'DELETE', `/tasks/${id}`), 'FORBIDDEN');
    expect(await ask(await connectSocket(`${viewers.url}/tasks`), 'delete', { id })).toMatchObject({ error: { code: 'FORBIDDEN' } });
    const anonymous = new GrpcClient(viewers.server.grpcAddress);
    await expect(anonymous.call('DeleteTask', { id })).rejects.toMatchObject({ reason: 'FORBIDDEN' });
    anonymous.close();
    // Nobody is not recorded: anybody could fill the log.
    expectProblem(await call(viewers.url, 'DELETE', `/tasks/${id}`, undefined, { authorization: 'Bearer wrong' }), 'UNAUTHENTICATED');
    expectProblem(await viewers.api('DELETE', `/tasks/${id}`), 'NOT_FOUND');
    const { body } = await viewers.api('GET', `/admin/audit?target=${id}`);
    expect(body.items.map(({ door, role, outcome }: Any) => `${door} ${role} ${outcome}`)).toEqual([
      'rest root NOT_FOUND',
      'grpc viewer FORBIDDEN',
      'socket.io viewer FORBIDDEN',
      'rest viewer FORBIDDEN',
    ]);
    // Who goes on trying is recorded so often, and then by number.
    for (let attempt = 0; attempt < 70; attempt++) await call(viewers.url, 'DELETE', `/tasks/${id}`);
    expect((await viewers.api('GET', `/admin/audit?target=${id}&principal=anonymous&limit=200`)).body.items).toHaveLength(60);
    await viewers.close();
  });

  test('in maintenance is recorded, too, though the answer does not wait for it', async () => {
    await server.api('POST', '/config', { changes: { MAINTENANCE_MODE: true } });
    expectProblem(await server.api('POST', '/alerts', { name: 'a' }), 'UNAVAILABLE');
    await server.api('POST', '/config', { changes: { MAINTENANCE_MODE: null } });
    await until('the record', async () => (await records('outcome=UNAVAILABLE')).length === 1);
  });
});

test('a change that cannot be recorded is answered with an error that says so', async () => {
  const { body: task } = await server.api('POST', '/tasks', { name: 'a' });
  const { api } = server.server.kernel.database;
  await api.queryText('ALTER TABLE audit_log RENAME TO audit_log_away');
  const answer = await server.api('PATCH', `/tasks/${task.id}`, { name: 'b' });
  const tasks = await socket('tasks');
  const told = await ask(tasks, 'update', { id: task.id, name: 'c' });
  const called = await grpc.call('UpdateTask', { id: task.id, task: { name: 'd' } }).catch((error: unknown) => error);
  await api.queryText('ALTER TABLE audit_log_away RENAME TO audit_log');
  expectProblem(answer, 'INTERNAL');
  expect(answer.headers.has('etag')).toBe(false);
  expect(answer.body.detail).toContain('The change was made, but it could not be recorded');
  expect(told.error.detail).toContain('could not be recorded');
  expect(called).toMatchObject({ reason: 'INTERNAL' });
  expect((await server.api('GET', `/tasks/${task.id}`)).body.name).toBe('d');
  expect(await verify()).toMatchObject({ valid: true });
});

test('an export is verified by the script of docs/audit.md, which finds what was changed in it', async () => {
  const [, script] = /```js\n([\s\S]+?)```/.exec(readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'audit.md'), 'utf8'))!;
  const directory = mkdtempSync(join(tmpdir(), 'arkitect-audit-'));
  const [program, file] = [join(directory, 'verify.mjs'), join(directory, 'audit.ndjson')];
  writeFileSync(program, script!);
  const run = async (lines: string) => {
    writeFileSync(file, lines);
    return (await promisify(execFile)(process.execPath, [program, file])).stdout;
  };
  const { body } = await server.api('GET', '/admin/audit/export');
  expect(await run(body)).toBe(`In order up to ${(await verify()).head}\n`);
  await expect(run(body.replace('"outcome":"ok"', '"outcome":"FORBIDDEN"'))).rejects.toThrow(/Record \d+ is not in order/);
  await expect(run(body.replace(/\n.*\n/, '\n'))).rejects.toThrow('Record 3 is not in order');
  rmSync(directory, { recursive: true });
});

describe('the log is read', () => {
  test('in pages, newest first, by any of its fields', async () => {
    const all = await records();
    const { body: first } = await server.api('GET', '/admin/audit?limit=3');
    expect(first.items).toEqual(all.slice(0, 3));
    const { body: second } = await server.api('GET', `/admin/audit?limit=3&cursor=${first.next_cursor}`);
    expect(second.items).toEqual(all.slice(3, 6));
    const { at } = all.at(-2);
    expect(await records(`until=${at}`)).toEqual(all.filter((record) => record.at < at));
    expect(await records('door=grpc&outcome=ok')).toEqual(all.filter(({ door, outcome }) => door === 'grpc' && outcome === 'ok'));
    expect(await records('principal=nobody')).toEqual([]);
    expectProblem(await server.api('GET', '/admin/audit?door=window'), 'VALIDATION_FAILED');
  });

  test('by Socket.IO and gRPC as by REST, and as a whole, oldest first, from any record on', async () => {
    const all = (await records()).toReversed();
    const lines = async (query = '') =>
      ((await server.api('GET', `/admin/audit/export${query}`)).body as string)
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line));
    expect(await lines()).toEqual(all);
    expect(await lines(`?after=${all[4].seq}&door=rest`)).toEqual(all.slice(5).filter(({ door }) => door === 'rest'));
    const streamed = await grpc.call('ExportAudit', {}, admin);
    expect(streamed.map(({ record }: Any) => [record.seq, record.hash, record.after])).toEqual(
      all.map(({ seq, hash, after }) => [seq, hash, after]),
    );
    expect((await grpc.call('ListAudit', { limit: 1 }, admin)).items[0]).toMatchObject({ seq: all.at(-1).seq });
    const client = await socket('admin');
    expect((await ask(client, 'audit', { limit: 1 })).items).toEqual([all.at(-1)]);
    const { head } = await verify();
    expect(await ask(client, 'audit_verify', { head })).toMatchObject({ valid: true, checked: all.length, head, head_found: true });
    expect(await grpc.call('VerifyAudit', {}, admin)).toMatchObject({ valid: true, head });
  });
});
