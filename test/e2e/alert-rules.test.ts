import { randomUUIDv7 } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { GrpcClient } from '../support/grpc.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { ask, closeSockets, connectSocket } from '../support/socket-client.js';
import { until } from '../support/until.js';

let server: TestServer;
let names = 0;

beforeAll(async () => {
  server = await startTestServer({ METRICS_INTERVAL_SECONDS: '1' });
});
afterAll(() => server.close());
afterEach(closeSockets);

const spec = {
  metric: 'arkitect_tasks',
  matchers: [
    { label: 'status', operator: '=', value: 'pending' },
    { label: 'queue', operator: '=~', value: 'e2e-.*' },
  ],
  group_by: ['queue'],
  window_seconds: 10,
  threshold: 1,
  annotations: { summary: '{{ value }} of {{ labels.queue }}' },
};

async function created(body: object = {}) {
  const answer = await server.api('POST', '/alerts/rules', { name: `Rule${(names += 1)}`, spec, ...body });
  expect(answer.status, JSON.stringify(answer.body)).toBe(201);
  return answer;
}

async function fieldsOf(body: object): Promise<string[]> {
  const { status, body: problem } = await server.api('POST', '/alerts/rules', { name: 'Wrong', spec, ...body });
  expect(status).toBe(400);
  return problem.errors.map(({ field }: { field: string }) => field).toSorted();
}

test('a rule raises an alert about tasks that wait, and ends it when they do not', async () => {
  const { body: rule } = await created({ name: 'TooManyPending' });
  const tasks = await Promise.all([1, 2].map(() => server.api('POST', '/tasks', { name: 'waits', queue: 'e2e-a' })));
  const alerts = async (status: string) => (await server.api('GET', `/alerts?name=TooManyPending&status=${status}`)).body.items;
  const [alert] = await until('the alert is raised', async () => {
    const items = await alerts('open');
    return items.length > 0 && items;
  });
  expect(alert).toMatchObject({ source: 'rule', labels: { queue: 'e2e-a' }, value: 2, annotations: { summary: '2 of e2e-a' } });
  const path = `/alerts/rules/${rule.id}`;
  const evaluated = await until('it is evaluated', async () => {
    const { body } = await server.api('GET', path);
    return body.last_evaluated_at !== null && body;
  });
  expect(evaluated).toMatchObject({ state: 'firing', states: { firing: 1 }, series: 1, last_error: null });
  const tested = await server.api('POST', `${path}/test`);
  expect(tested.body).toMatchObject({ step_seconds: 10, series: 1, firings: [{ labels: { queue: 'e2e-a' }, to: null, peak: 2 }] });
  await Promise.all(tasks.map(({ body }) => server.api('POST', `/tasks/${body.id}/cancel`)));
  await until('the alert is over', async () => (await alerts('resolved')).length === 1);
  expect((await server.api('GET', path)).body).toMatchObject({ state: 'ok', states: { firing: 0 } });
});

test('a rule is created with all its settings, read, changed, paused and deleted', async () => {
  const { body, headers } = await created();
  expect(headers.get('etag')).toBe('"1"');
  expect(body).toMatchObject({ kind: 'threshold', origin: 'own', enabled: true, state: 'ok', last_evaluated_at: null, version: 1 });
  expect(body.spec).toMatchObject({ ...spec, comparator: '>', recovery_threshold: null, no_data: 'ok', severity: 'warning' });
  const path = `/alerts/rules/${body.id}`;
  expect(headers.get('location')).toBe(path);
  const patched = await server.api('PATCH', path, { spec: { threshold: 7, recovery_threshold: 3 } }, { 'if-match': '"1"' });
  expect(patched.body).toMatchObject({ version: 2, spec: { ...spec, threshold: 7, recovery_threshold: 3 } });
  const back = await server.api('PATCH', path, { spec: { recovery_threshold: null, annotations: null } });
  expect(back.body.spec).toMatchObject({ threshold: 7, recovery_threshold: null, annotations: {} });
  expect((await server.api('POST', `${path}/pause`)).body).toMatchObject({ enabled: false, state: 'paused' });
  expect((await server.api('POST', `${path}/resume`)).body).toMatchObject({ enabled: true, state: 'ok', version: 5 });
  const answers = [
    await server.api('PATCH', path, { enabled: true }, { 'if-match': '"1"' }),
    await server.api('DELETE', path, undefined, { 'if-match': '"9"' }),
    await server.api('DELETE', path),
    await server.api('GET', path),
    await server.api('GET', '/alerts/rules/no-id'),
    await server.api('POST', `/alerts/rules/${randomUUIDv7()}/test`),
  ];
  expect(answers.map(({ status }) => status)).toEqual([412, 412, 204, 404, 400, 404]);
});

test('a name is taken once', async () => {
  const { body } = await created();
  expect((await server.api('POST', '/alerts/rules', { name: body.name, spec })).status).toBe(409);
});

test('what a rule cannot be is refused by field', async () => {
  expect(await fieldsOf({ name: '' })).toEqual(['name']);
  expect(await fieldsOf({ kind: 'other' })).toEqual(['kind']);
  expect(await fieldsOf({ spec: { metric: '', threshold: '1', nonsense: 1 } })).toEqual(['spec.metric', 'spec.nonsense', 'spec.threshold']);
  expect(await fieldsOf({ spec: { ...spec, matchers: [{ label: 'a', operator: '=~', value: '(' }] } })).toEqual(['spec.matchers']);
  expect(await fieldsOf({ spec: { ...spec, matchers: Array.from({ length: 21 }, () => spec.matchers[0]) } })).toEqual(['spec.matchers']);
  expect(await fieldsOf({ spec: { ...spec, group_by: ['a', 'a'] } })).toEqual(['spec.group_by']);
  expect(await fieldsOf({ spec: { ...spec, annotations: { a: '{{ value | nonsense }}' } } })).toEqual(['spec.annotations']);
  expect(await fieldsOf({ spec: { ...spec, recovery_threshold: 2 } })).toEqual(['spec.recovery_threshold']);
  expect(await fieldsOf({ spec: { ...spec, comparator: '==', recovery_threshold: 1 } })).toEqual(['spec.recovery_threshold']);
  expect(await fieldsOf({ spec: { ...spec, window_seconds: 2_592_001 } })).toEqual(['spec.window_seconds']);
  expect(await fieldsOf({ kind: 'expectation', spec: { metric: 'm', within_seconds: 60, threshold: 1 } })).toEqual(['spec.threshold']);
});

test('the rules that come with the server are there, and can be changed', async () => {
  const find = async () =>
    (await server.api('GET', '/alerts/rules?limit=200')).body.items.find(({ name }: { name: string }) => name === 'TaskBacklog');
  const rule = await until('the defaults are created', find);
  expect(rule).toMatchObject({ origin: 'default', created_by: 'arkitect', enabled: true });
  const changed = await server.api('PATCH', `/alerts/rules/${rule.id}`, { spec: { threshold: 5_000 } });
  expect(changed.body).toMatchObject({ origin: 'default', spec: { threshold: 5_000 } });
});

test('a rule is tried out on the history before it is created', async () => {
  const cpu = { metric: 'arkitect_cpu_usage', comparator: '>=', threshold: 0 };
  await until('there is a history', async () => {
    const { body } = await server.api('POST', '/alerts/rules/test', { spec: cpu });
    return body.firings?.length === 1;
  });
  const bad = await server.api('POST', '/alerts/rules/test?from=2030-01-01T00:00:00.000Z', { spec: cpu });
  expect(bad.body).toMatchObject({ status: 400, errors: [{ field: 'from' }] });
  expect((await server.api('POST', '/alerts/rules/test', { spec: { metric: 'm' } })).body.errors).toMatchObject([
    { field: 'spec.threshold' },
  ]);
  const expectation = { kind: 'expectation', spec: { metric: 'arkitect_tasks_finished_total', within_seconds: 60 } };
  expect((await server.api('POST', '/alerts/rules/test', expectation)).body).toMatchObject({ evaluations: 361, firings: [] });
});

test('Socket.IO has the same', async () => {
  const socket = await connectSocket(`${server.url}/alerts`, { auth: { token: server.token } });
  const { id } = await ask(socket, 'create_rule', { name: 'BySocket', spec });
  expect(await ask(socket, 'get_rule', { id })).toMatchObject({ name: 'BySocket', state: 'ok' });
  expect(await ask(socket, 'update_rule', { id, version: 1, spec: { threshold: 9 } })).toMatchObject({
    version: 2,
    spec: { threshold: 9 },
  });
  expect(await ask(socket, 'pause_rule', { id })).toMatchObject({ state: 'paused' });
  expect(await ask(socket, 'resume_rule', { id, version: 1 })).toMatchObject({ error: { code: 'VERSION_MISMATCH' } });
  expect(await ask(socket, 'test_rule', { id })).toMatchObject({ evaluations: 361 });
  expect(await ask(socket, 'try_out_rule', { spec })).toMatchObject({ step_seconds: 10 });
  expect((await ask(socket, 'list_rules', { limit: 1 })).items).toMatchObject([{ id }]);
  expect(await ask(socket, 'delete_rule', { id })).toEqual({});
  expect(await ask(socket, 'get_rule', { id })).toMatchObject({ error: { code: 'NOT_FOUND' } });
});

test('gRPC has the same', async () => {
  const client = new GrpcClient(server.server.grpcAddress, server.token);
  const call = (method: string, request: object) => client.call(method, request, 'arkitect.v1.AlertRuleService');
  const { rule } = await call('CreateAlertRule', { name: 'ByGrpc', spec });
  expect(rule).toMatchObject({ name: 'ByGrpc', kind: 'threshold', state: 'ok', spec: { threshold: 1, group_by: ['queue'] } });
  const { id } = rule;
  expect(await call('UpdateAlertRule', { id, spec: { threshold: 9 } })).toMatchObject({ rule: { version: 2, spec: { threshold: 9 } } });
  expect(await call('PauseAlertRule', { id })).toMatchObject({ rule: { enabled: false, state: 'paused' } });
  expect(await call('ResumeAlertRule', { id, version: 3 })).toMatchObject({ rule: { enabled: true } });
  expect(await call('TestAlertRule', { id })).toMatchObject({ evaluations: 361 });
  expect(await call('TryOutAlertRule', { spec })).toMatchObject({ step_seconds: 10 });
  expect((await call('ListAlertRules', { limit: 1 })).items).toMatchObject([{ id }]);
  await call('DeleteAlertRule', { id });
  await expect(call('GetAlertRule', { id })).rejects.toMatchObject({ reason: 'NOT_FOUND' });
  client.close();
});
