import { afterAll, beforeAll, expect, test } from 'vitest';
import { Lifecycle } from '../../src/health/lifecycle.js';
import { OpenApiChecker, operationsOf, type DocumentedOperation, type OpenApiDocument } from '../support/openapi.js';
import { call, startTestServer, type Answer, type TestServer } from '../support/server.js';
import { until } from '../support/until.js';

/*
 * Every operation of the document is called, and must answer as the document says: status, headers, body. In the end
 * every documented status must have been seen, so that the document promises nothing that does not happen.
 */

const nobody = '00000000-0000-7000-8000-000000000000';

let server: TestServer;
let checker: OpenApiChecker;
let operations: DocumentedOperation[];

beforeAll(async () => {
  server = await startTestServer();
  const document = (await server.api('GET', '/openapi.json')).body as OpenApiDocument;
  checker = new OpenApiChecker(document);
  operations = operationsOf(document);
});
afterAll(() => server.close());

function operation(operationId: string): DocumentedOperation {
  const found = operations.find((candidate) => candidate.operationId === operationId);
  if (!found) throw new Error(`The document has no operation ${operationId}.`);
  return found;
}

interface Call {
  id?: string;
  query?: string;
  body?: unknown;
  headers?: Record<string, string>;
}

/** Calls an operation of the document and holds the answer against it. */
async function expectAnswer(operationId: string, status: number, { id = nobody, query = '', body, headers }: Call = {}): Promise<Answer> {
  const documented = operation(operationId);
  const answer = await server.api(documented.method, documented.path.replace(/\{(id|version)\}/, id) + query, body, headers);
  expect(answer.status, `${operationId}: ${JSON.stringify(answer.body)}`).toBe(status);
  expect(checker.answerProblems(documented, answer)).toEqual([]);
  // 207 is for requests that are wrong in part.
  if (status < 207 && documented.requestBody) expect(checker.requestProblems(documented, body), 'the request').toEqual([]);
  return answer;
}

async function created(body: object = {}, query = ''): Promise<string> {
  const { body: task } = await expectAnswer('tasks_create', query ? 202 : 201, { body: { name: 'a task', ...body }, query });
  return task.id as string;
}

const running = () => created({ type: 'sleep', parameters: { seconds: 600 }, start: 'auto' }, '?wait=0');

async function untilStatus(id: string, status: string): Promise<void> {
  await until(`${id} is ${status}`, async () => (await server.api('GET', `/tasks/${id}`)).body.status === status);
}

test('tasks of every kind and state are shown as documented', async () => {
  await created({ type: 'echo', parameters: { deep: [{ x: null }] }, labels: { team: 'a' }, run_at: null });
  await created({ run_at: '2999-01-01T00:00:00.000Z', backoff: { kind: 'fixed', delay_seconds: 0 }, priority: 'critical' });
  const retried = { type: 'sleep', parameters: { seconds: 0, fail: true }, max_attempts: 2, backoff: { delay_seconds: 0 }, start: 'auto' };
  const failed = await expectAnswer('tasks_create', 201, { body: { name: 'fails', ...retried }, query: '?wait=30' });
  expect(failed.body).toMatchObject({ status: 'failed', error: { code: 'SLEEP_FAILED' } });
  const refused = { name: 'refused', type: 'http.request', parameters: { url: 'http://127.0.0.1:9/' }, start: 'auto' };
  await expectAnswer('tasks_create', 201, { body: refused, query: '?wait=30' });
  const cancelled = await created();
  await expectAnswer('tasks_cancel', 200, { id: cancelled });
  const atWork = await running();
  await untilStatus(atWork, 'running');

  const page = await expectAnswer('tasks_list', 200, { query: '?limit=2&order=asc' });
  await expectAnswer('tasks_list', 200, { query: `?limit=200&order=asc&cursor=${page.body.next_cursor}` });
  for (const id of [failed.body.id, cancelled, atWork]) {
    await expectAnswer('tasks_get', 200, { id });
    await expectAnswer('tasks_attempts', 200, { id });
    await expectAnswer('tasks_events', 200, { id });
  }
  const attempts = await expectAnswer('tasks_attempts', 200, { id: failed.body.id, query: '?limit=1' });
  expect(attempts.body).toMatchObject({ items: [{ status: 'failed' }], next_cursor: 1 });
  await expectAnswer('tasks_retry', 200, { id: failed.body.id });
  await expectAnswer('tasks_cancel', 200, { id: atWork });
});

test('log lines are shown as documented', async () => {
  const { body: task } = await server.api('POST', '/tasks', { name: 'logs' });
  await server.server.kernel.database.api.queryText(
    `INSERT INTO task_logs (tenant_id, task_id, attempt, level, message, data) VALUES ($1, $2, 1, 'info', 'a', '{"a": 1}'), ($1, $2, 1, 'warn', 'b', NULL)`,
    [task.tenant_id, task.id],
  );
  const logs = await expectAnswer('tasks_logs', 200, { id: task.id });
  expect(logs.body.items).toHaveLength(2);
});

test('an event stream is announced as documented', async () => {
  const id = await created();
  await server.api('DELETE', `/tasks/${id}`);
  const kept = await created();
  for (const [operationId, path] of [
    ['tasks_events', `/tasks/${kept}/events`],
    ['metrics_realtime', '/metrics/realtime'],
    ['logs_get', '/admin/logs?follow=true'],
  ] as const) {
    const { status, headers } = await fetchStream(path);
    const content = operation(operationId).responses[status]?.content ?? {};
    expect(Object.keys(content)).toContain(headers.get('content-type')?.split(';')[0]);
    checker.seen.add(`${operationId} ${status}`);
  }
});

async function fetchStream(path: string): Promise<Response> {
  const controller = new AbortController();
  const headers = { accept: 'text/event-stream', authorization: `Bearer ${server.token}` };
  const response = await fetch(server.url + path, { headers, signal: controller.signal });
  controller.abort();
  return response;
}

test('changes are answered as documented, and so are those that come too late', async () => {
  const id = await created();
  await expectAnswer('tasks_replace', 200, { id, body: { name: 'another', max_attempts: 2 } });
  await expectAnswer('tasks_patch', 200, { id, body: { labels: { team: null }, run_at: null } });
  for (const [change, body] of [
    ['tasks_replace', { name: 'x' }],
    ['tasks_patch', {}],
    ['tasks_delete', undefined],
  ] as const) {
    await expectAnswer(change, 412, { id, body, headers: { 'if-match': '"99"' } });
  }
  await expectAnswer('tasks_execute', 200, { id, query: '?wait=30' });
  await expectAnswer('tasks_execute', 409, { id });
  await expectAnswer('tasks_cancel', 409, { id });
  await expectAnswer('tasks_retry', 409, { id });
  await expectAnswer('tasks_replace', 409, { id, body: { name: 'x' } });
  await expectAnswer('tasks_patch', 409, { id, body: { name: 'x' } });
  await expectAnswer('tasks_delete', 204, { id });

  const slow = await created({ type: 'sleep', parameters: { seconds: 600 } });
  await expectAnswer('tasks_execute', 202, { id: slow, query: '?wait=0' });
  await untilStatus(slow, 'running');
  await expectAnswer('tasks_delete', 409, { id: slow });
  await expectAnswer('tasks_cancel', 200, { id: slow });
});

test('many tasks at once, and repetitions, are answered as documented', async () => {
  await expectAnswer('tasks_createBulk', 201, { body: { tasks: [{ name: 'a' }, { name: 'b', start: 'auto' }], atomic: true } });
  const mixed = { tasks: [{ name: 'good' }, { name: '' }] };
  await expectAnswer('tasks_createBulk', 207, { body: mixed });
  const headers = { 'idempotency-key': 'contract-1' };
  await expectAnswer('tasks_create', 201, { body: { name: 'once' }, headers });
  const again = await expectAnswer('tasks_create', 201, { body: { name: 'once' }, headers });
  expect(again.headers.get('idempotency-replayed')).toBe('true');
  await expectAnswer('tasks_create', 422, { body: { name: 'other' }, headers });
  await expectAnswer('tasks_createBulk', 422, { body: { tasks: [{ name: 'a' }] }, headers });
});

test('workers are answered as documented', async () => {
  const me = { name: 'contract', instance: 'contract-1', types: ['contract'], queues: [], labels: { a: 'b' }, sdk: 'none/1' };
  await expectAnswer('workers_poll', 200, { body: { ...me, wait_seconds: 0 } });
  await expectAnswer('workers_list', 200);
  const leased = async () => {
    await created({ type: 'contract', start: 'auto', max_attempts: 2 });
    const { body } = await expectAnswer('workers_poll', 200, { body: { ...me, slots: 1 } });
    return body.tasks[0].lease as object;
  };
  const lease = await leased();
  await expectAnswer('workers_beat', 200, { body: { leases: [{ lease, progress: 1, checkpoint: { a: 1 } }] } });
  await expectAnswer('workers_log', 204, { body: { lines: [{ lease, message: 'hello', level: 'warn', data: {} }] } });
  await expectAnswer('workers_complete', 200, { body: { lease, result: null } });
  await expectAnswer('workers_complete', 409, { body: { lease } });
  const other = await leased();
  await expectAnswer('workers_fail', 200, { body: { lease: other, code: 'NO', message: 'no', retryable: true, retry_after_seconds: 60 } });
  await expectAnswer('workers_fail', 409, { body: { lease: other } });
  await expectAnswer('workers_beat', 200, { body: { leases: [{ lease: other }] } });
  await expectAnswer('workers_drain', 204, { id: 'contract@contract-1' });
  await expectAnswer('workers_disconnect', 204, { id: 'contract@contract-1' });
});

test('metrics are answered as documented', async () => {
  await expectAnswer('metrics_get', 200);
  await expectAnswer('metrics_get', 200, { headers: { accept: 'text/plain' } });
  await expectAnswer('metrics_tasks', 200);
  await until('there is a history', async () => (await server.api('GET', '/metrics/history/names')).body.items.length > 0);
  await expectAnswer('metrics_names', 200);
  const { body } = await expectAnswer('metrics_history', 200, { query: '?metric=arkitect_cpu_usage&step=10' });
  expect(body.series).toHaveLength(1);
  await expectAnswer('metrics_history', 400, { query: '?metric=arkitect_cpu_usage&step=0' });
  for (const accept of ['text/plain', 'application/openmetrics-text'])
    await expectAnswer('exposition_scrape', 200, { headers: { accept } });
});

test('alerts are answered as documented', async () => {
  const raised = { name: 'Contract', severity: 'critical', labels: { a: 'b' }, annotations: { c: 'd' }, value: 1, expires_in_seconds: 60 };
  const { body } = await expectAnswer('alerts_create', 201, { body: raised });
  await expectAnswer('alerts_create', 200, { body: { ...raised, runbook_url: 'https://example.com' } });
  const { id } = body as { id: string };
  await expectAnswer('alerts_acknowledge', 200, { id, body: { minutes: 1, note: 'mine' } });
  await expectAnswer('alerts_get', 200, { id });
  await expectAnswer('alerts_list', 200, { query: '?limit=1' });
  await expectAnswer('alerts_resolve', 200, { id, body: {} });
  for (const late of ['alerts_acknowledge', 'alerts_resolve']) await expectAnswer(late, 409, { id, body: {} });
  await expectAnswer('alerts_history', 200, { id, query: '?limit=2' });
  await expectAnswer('alerts_stats', 200);
});

test('silences and routes of alerts are answered as documented', async () => {
  const stale = { headers: { 'if-match': '"9"' } };
  const matchers = [{ label: 'a', operator: '=', value: 'b' }];
  const silence = { matchers, ends_at: new Date(Date.now() + 60_000).toISOString(), comment: 'a contract', author: 'me' };
  const { body } = await expectAnswer('silences_create', 201, { body: silence });
  const { id } = body as { id: string };
  await expectAnswer('silences_list', 200, { query: '?limit=1&status=active' });
  await expectAnswer('silences_list', 400, { query: '?limit=0' });
  await expectAnswer('silences_get', 200, { id });
  await expectAnswer('silences_patch', 200, { id, body: { comment: 'another' } });
  await expectAnswer('silences_patch', 409, { id, body: { matchers } });
  await expectAnswer('silences_patch', 412, { id, body: {}, ...stale });
  await expectAnswer('silences_expire', 412, { id, ...stale });
  await expectAnswer('silences_expire', 204, { id });
  await expectAnswer('silences_expire', 409, { id });
  await server.server.kernel.database.api.queryText(
    `INSERT INTO alert_silences (tenant_id, id, matchers, starts_at, ends_at, comment, author, created_by)
     SELECT 'default', gen_random_uuid(), '[]', now(), now() + interval '1 hour', '', '', '' FROM generate_series(1, 1000)`,
  );
  await expectAnswer('silences_create', 409, { body: silence });
  await server.server.kernel.database.api.queryText('TRUNCATE alert_silences');

  await expectAnswer('routes_get', 200);
  const routing = {
    routes: [{ name: 'r', matchers, continue: true, escalation: [] }],
    default_route: { group_by: ['...'] },
    inhibitions: [{ name: 'i', source_matchers: matchers, target_matchers: matchers, equal: ['x'] }],
  };
  await expectAnswer('routes_put', 412, { body: routing, ...stale });
  await expectAnswer('routes_put', 200, { body: routing });
  await expectAnswer('routes_get', 200);
  await expectAnswer('routes_test', 200, { body: { name: 'x', labels: { a: 'b' } } });
});

test('the configuration is answered as documented', async () => {
  const stale = { headers: { 'if-match': '"99"' } };
  await expectAnswer('config_get', 200);
  await expectAnswer('config_schema', 200);
  await expectAnswer('config_set', 200, { body: { changes: { LOG_LEVEL: 'warn', ENGINE_LEASE_SECONDS: 40 }, reason: 'contract' } });
  await expectAnswer('config_set', 200, { body: { changes: { CORS_ORIGINS: ['https://a.example'] }, expires_in_seconds: 600 } });
  await expectAnswer('config_set', 200, { body: { changes: { LOG_LEVEL: 'info' }, dry_run: true }, query: '?dry_run=true' });
  await expectAnswer('config_set', 412, { body: { changes: { LOG_LEVEL: 'info' } }, ...stale });
  await expectAnswer('config_get', 200);
  await expectAnswer('config_history', 200, { query: '?limit=1' });
  await expectAnswer('config_history', 400, { query: '?limit=0' });
  await expectAnswer('config_version', 200, { id: '2' });
  await expectAnswer('config_version', 400, { id: 'x' });
  await expectAnswer('config_version', 404, { id: '99' });
  await expectAnswer('config_rollback', 412, { body: { version: 0 }, ...stale });
  await expectAnswer('config_rollback', 404, { body: { version: 99 } });
  await expectAnswer('config_rollback', 200, { body: { version: 0 } });
});

test('the audit log is answered as documented', async () => {
  await expectAnswer('audit_list', 200);
  await expectAnswer('audit_verify', 200);
  await expectAnswer('audit_export', 200);
  const bad = { list: '?limit=0', verify: '?head=1', export: '?after=x' };
  for (const [name, query] of Object.entries(bad)) await expectAnswer(`audit_${name}`, 400, { query });
});

test('the system, its health and its log are answered as documented', async () => {
  const { kernel } = server.server;
  kernel.logger.error({ err: new Error('contract'), deep: [{ x: null }] }, 'contract');
  await expectAnswer('system_system', 200);
  await expectAnswer('system_health', 200);
  await until('the line', async () => (await expectAnswer('logs_get', 200, { query: '?limit=1&level=error' })).body.items.length === 1);
  await expectAnswer('logs_get', 400, { query: '?level=loud' });
});

test('channels are answered as documented', async () => {
  const body = { name: 'contract', kind: 'webhook', spec: { url: 'http://127.0.0.1:9/' } };
  const { body: channel } = await expectAnswer('channels_create', 201, { body });
  const id = channel.id as string;
  await expectAnswer('channels_create', 409, { body });
  await expectAnswer('channels_list', 200);
  await expectAnswer('channels_get', 200, { id });
  await expectAnswer('channels_test', 200, { id });
  await expectAnswer('channels_deliveries', 200, { id });
  await expectAnswer('channels_patch', 200, { id, body: { enabled: false } });
  await expectAnswer('channels_patch', 412, { id, body: {}, headers: { 'if-match': '"99"' } });
  await expectAnswer('channels_remove', 412, { id, headers: { 'if-match': '"99"' } });
  await expectAnswer('channels_remove', 204, { id });
});

test('alert rules are answered as documented', async () => {
  const spec = {
    metric: 'arkitect_cpu_usage',
    matchers: [{ label: 'replica', operator: '=~', value: '.+' }],
    threshold: 0,
    comparator: '>=',
  };
  const body = { name: 'Contract', spec };
  const { body: rule } = await expectAnswer('rules_create', 201, { body });
  await expectAnswer('rules_create', 409, { body });
  const { id } = rule as { id: string };
  const expectation = { kind: 'expectation', spec: { metric: 'arkitect_tasks_finished_total', within_seconds: 60 } };
  await expectAnswer('rules_create', 201, { body: { name: 'ContractExpectation', enabled: false, ...expectation } });
  await expectAnswer('rules_patch', 200, { id, body: { spec: { recovery_threshold: null, group_by: ['replica'] } } });
  await expectAnswer('rules_get', 200, { id });
  await expectAnswer('rules_list', 200, { query: '?limit=1' });
  await expectAnswer('rules_list', 400, { query: '?limit=0' });
  await expectAnswer('rules_pause', 200, { id });
  await expectAnswer('rules_resume', 200, { id });
  await until('there is something to test it on', async () => (await expectAnswer('rules_test', 200, { id })).body.firings.length > 0);
  await expectAnswer('rules_tryOut', 200, { body: expectation });
  const headers = { 'if-match': '"99"' };
  await expectAnswer('rules_patch', 412, { id, body: {}, headers });
  await expectAnswer('rules_remove', 412, { id, headers });
  await expectAnswer('rules_remove', 204, { id });
});

test('what an operation cannot take is refused as documented', async () => {
  for (const { operationId, path, requestBody } of operations) {
    const good = requestBody ? { body: path.startsWith('/alerts/') ? {} : { name: 'x', tasks: undefined } } : {};
    if (path.includes('{id}')) {
      await expectAnswer(operationId, 400, { ...good, id: 'no-id' });
      await expectAnswer(operationId, 404, { ...good, id: path.startsWith('/workers') ? 'nobody@nowhere-1' : nobody });
    }
    if (!requestBody) continue;
    await expectAnswer(operationId, 400, { body: '{' });
    await expectAnswer(operationId, 400, { body: { name: '', nonsense: 1 } });
    await expectAnswer(operationId, 413, { body: { name: 'x'.repeat(1024 * 1024) } });
    await expectAnswer(operationId, 415, { body: 'name=x', headers: { 'content-type': 'application/x-www-form-urlencoded' } });
  }
  for (const list of ['tasks_list', 'alerts_list', 'channels_list']) await expectAnswer(list, 400, { query: '?limit=0' });
  await expectAnswer('alerts_stats', 400, { query: '?days=0' });
});

test('probes answer as documented while the server starts, works and stops', async () => {
  const lifecycle = server.server.app.get(Lifecycle);
  for (const probe of ['health_live', 'health_ready', 'health_startup']) await expectAnswer(probe, 200);
  lifecycle.state = 'starting';
  await expectAnswer('health_ready', 503);
  await expectAnswer('health_startup', 503);
  lifecycle.state = 'ready';
});

test('callers without a role, or with too small a one, are refused as documented', async () => {
  const closed = await startTestServer({ AUTH_ANONYMOUS_ROLE: 'none' });
  const forReaders = await startTestServer({ AUTH_ANONYMOUS_ROLE: 'viewer' });
  try {
    for (const documented of operations.filter(({ security }) => security?.length !== 0)) {
      const ask = (url: string) => call(url, documented.method, documented.path.replace('{id}', nobody), documented.requestBody && {});
      const refused = await ask(closed.url);
      expect(refused.status, documented.operationId).toBe(401);
      expect(checker.answerProblems(documented, refused)).toEqual([]);
      if (documented.method !== 'GET') {
        const forbidden = await ask(forReaders.url);
        expect(forbidden.status, documented.operationId).toBe(403);
        expect(checker.answerProblems(documented, forbidden)).toEqual([]);
      }
    }
  } finally {
    await closed.close();
    await forReaders.close();
  }
});

test('every documented answer has been seen', () => {
  // A server that fails, or is shutting down, is out of the reach of these calls; every role may read.
  const excused = (status: string, { method }: DocumentedOperation) =>
    status === '500' || status === '503' || (status === '403' && method === 'GET');
  const unseen = operations.flatMap((documented) =>
    Object.keys(documented.responses)
      .filter((status) => !excused(status, documented) && !checker.seen.has(`${documented.operationId} ${status}`))
      .map((status) => `${documented.operationId} ${status}`),
  );
  expect(unseen).toEqual([]);
});
