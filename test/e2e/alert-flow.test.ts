import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { SilencesKeeper } from '../../src/alerts/silences/silences-keeper.js';
import { forgetAlerts } from '../support/forget-alerts.js';
import { GrpcClient } from '../support/grpc.js';
import { startHttpSink, type HttpSink } from '../support/http-sink.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { ask, closeSockets, connectSocket } from '../support/socket-client.js';
import { until } from '../support/until.js';

let server: TestServer;
let sink: HttpSink;

beforeAll(async () => {
  sink = await startHttpSink();
  server = await startTestServer({ HTTP_ALLOW_HOSTS: '127.0.0.1', ALERTS_FLAPPING_COUNT: '3' });
  for (const name of ['ops', 'pager']) {
    const spec = { url: `${sink.url}/${name}` };
    expect((await server.api('POST', '/alerts/channels', { name, kind: 'webhook', spec })).status).toBe(201);
  }
});
afterAll(async () => {
  await server.close();
  await sink.close();
});
beforeEach(async () => {
  await forgetAlerts(server.server.kernel.database);
  sink.received.length = 0;
});
afterEach(closeSockets);

const is = (label: string, value: string) => ({ label, operator: '=', value });
const soon = (seconds: number) => new Date(Date.now() + seconds * 1_000).toISOString();

async function good(method: string, path: string, body?: object) {
  const answer = await server.api(method, path, body);
  expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300);
  return answer.body;
}

/** What came so far, as `ops: a -b`. */
function heard(): string[] {
  return sink.received.map(({ path, body }) => {
    const { alerts } = JSON.parse(body) as { alerts: { name: string; status: string }[] };
    const names = alerts.map(({ name, status }) => (status === 'resolved' ? `-${name}` : name));
    return `${path.slice(1)}: ${names.toSorted().join(' ')}`;
  });
}

const untilHeard = (line: string) =>
  until(`${line} is heard`, () => heard().includes(line)).catch((error: Error) => {
    throw new Error(`${error.message}; heard: ${heard().join(', ')}`);
  });

const raise = (name: string, more: object = {}) => good('POST', '/alerts', { name, ...more });
const resolve = (id: string) => good('POST', `/alerts/${id}/resolve`, {});

test('without routes every channel is told of each alert, and of its end', async () => {
  const { id } = await raise('a');
  await untilHeard('ops: a');
  await untilHeard('pager: a');
  await resolve(id);
  await untilHeard('ops: -a');
  await untilHeard('pager: -a');
  expect(heard()).toHaveLength(4);
});

test('routes choose who is told, and group what comes together', async () => {
  await good('PUT', '/alerts/routes', {
    routes: [
      {
        name: 'db',
        matchers: [is('team', 'db')],
        channels: ['pager'],
        group_by: ['team'],
        group_wait_seconds: 1,
        group_interval_seconds: 1,
      },
    ],
    default_route: { channels: ['ops'] },
  });
  const labels = { team: 'db' };
  const { id } = await raise('a', { labels });
  await raise('b', { labels });
  await raise('other');
  await untilHeard('ops: other');
  await untilHeard('pager: a b');
  await resolve(id);
  await untilHeard('pager: -a b');
  expect(heard()).toHaveLength(3);
  const [firing] = sink.received.filter(({ path }) => path === '/pager').map(({ body }) => JSON.parse(body));
  expect(firing).toMatchObject({ group_labels: labels, common_labels: { team: 'db', severity: 'warning' }, status: 'firing' });
});

test('what is silenced is told when the silence ends, at once', async () => {
  await good('PUT', '/alerts/routes', { default_route: { channels: ['ops'], group_interval_seconds: 3_600 } });
  const silence = await good('POST', '/alerts/silences', { matchers: [is('alertname', 'a')], ends_at: soon(3_600), comment: 'Works' });
  expect(silence).toMatchObject({ status: 'active', author: 'root', created_by: 'root', version: 1 });
  const { id } = await raise('a');
  await raise('b');
  await untilHeard('ops: b');
  expect(await good('GET', `/alerts/${id}`)).toMatchObject({ silenced_by: [silence.id], inhibited_by: [] });
  await good('DELETE', `/alerts/silences/${silence.id}`);
  await untilHeard('ops: a');
  expect((await server.api('DELETE', `/alerts/silences/${silence.id}`)).body.code).toBe('CONFLICT');
  expect((await good('GET', '/alerts/silences?status=expired')).items).toMatchObject([{ id: silence.id, status: 'expired' }]);
  const short = await good('POST', '/alerts/silences', { matchers: [is('alertname', 'c')], ends_at: soon(1.5), comment: 'Short' });
  await raise('c');
  expect(heard()).not.toContain('ops: c');
  await untilHeard('ops: c');
  expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(short.ends_at));
});

test('a silence is changed as far as that makes sense', async () => {
  const body = { matchers: [is('a', '1')], starts_at: soon(60), ends_at: soon(3_600), comment: 'Later' };
  const { id } = await good('POST', '/alerts/silences', body);
  const path = `/alerts/silences/${id}`;
  const patched = await server.api('PATCH', path, { matchers: [is('a', '2')], comment: 'Changed' }, { 'if-match': '"1"' });
  expect(patched).toMatchObject({ status: 200, body: { status: 'pending', comment: 'Changed', version: 2 } });
  expect(patched.headers.get('etag')).toBe('"2"');
  expect((await server.api('PATCH', path, { comment: 'x' }, { 'if-match': '"1"' })).status).toBe(412);
  await good('PATCH', path, { starts_at: new Date().toISOString() });
  expect((await server.api('PATCH', path, { matchers: [is('a', '3')] })).status).toBe(409);
  expect((await good('PATCH', path, { ends_at: soon(7_200) })).status).toBe('active');
});

test('who silences is warned before it ends, once, if it still mutes something', async () => {
  // Either of the two may send.
  const settings = { ALERTS_SILENCE_WARN_MINUTES: '60', HTTP_ALLOW_HOSTS: '127.0.0.1' };
  const other = await startTestServer(settings, server.settings.DATABASE_URL);
  const keeper = other.server.app.get(SilencesKeeper, { strict: false });
  const ends_at = soon(7_200);
  const [muting, idle] = await Promise.all(
    ['a', 'nothing'].map((name) => good('POST', '/alerts/silences', { matchers: [is('alertname', name)], ends_at, comment: 'Works' })),
  );
  await raise('a');
  await keeper.warn(60);
  expect((await good('GET', '/alerts?source=silence')).items).toEqual([]);
  await server.server.kernel.database.api.queryText(
    "UPDATE alert_silences SET ends_at = now() + interval '50 min', starts_at = now() - interval '1 h'",
  );
  await keeper.warn(60);
  await keeper.warn(60);
  await untilHeard('ops: SilenceExpiring');
  const { items } = await good('GET', '/alerts?source=silence');
  expect(items).toMatchObject([{ name: 'SilenceExpiring', labels: { silence: muting.id }, version: 1, annotations: { comment: 'Works' } }]);
  expect((await good('GET', `/alerts/silences/${idle.id}`)).status).toBe('active');
  expect(heard().filter((line) => line.startsWith('ops'))).toEqual(['ops: SilenceExpiring']);
  await other.close();
});

test.each([
  [{ matchers: [] }, 'matchers'],
  [{ matchers: [{ label: 'a', operator: '=~', value: '.*' }] }, 'matchers'],
  [{ matchers: [{ label: 'a', operator: '=~', value: '(' }] }, 'matchers[0].value'],
  [{ matchers: [{ label: 'a', operator: '==', value: 'x' }] }, 'matchers[0].operator'],
  [{ matchers: [is('a', '1'), []] }, 'matchers'],
  [{ ends_at: soon(-1) }, 'ends_at'],
  [{ ends_at: soon(31 * 86_400) }, 'ends_at'],
  [{ comment: '' }, 'comment'],
  [{ created_by: 'me' }, 'created_by'],
])('a silence with %j is refused by name', async (change, field) => {
  const answer = await server.api('POST', '/alerts/silences', { matchers: [is('a', '1')], ends_at: soon(60), comment: 'c', ...change });
  expect(answer.status).toBe(400);
  expect(answer.body.errors.map((error: { field: string }) => error.field)).toEqual([field]);
});

test('while the cause is active its consequences are not told', async () => {
  await good('PUT', '/alerts/routes', {
    default_route: { channels: ['ops'] },
    inhibitions: [
      { name: 'down', source_matchers: [is('alertname', 'HostDown')], target_matchers: [is('severity', 'warning')], equal: ['host'] },
    ],
  });
  const host = { labels: { host: 'a' } };
  const cause = await raise('HostDown', { severity: 'critical', ...host });
  await untilHeard('ops: HostDown');
  const { id } = await raise('Slow', host);
  await raise('Slow', { labels: { host: 'b' } });
  await untilHeard('ops: Slow');
  expect(await good('GET', `/alerts/${id}`)).toMatchObject({ inhibited_by: [cause.id] });
  expect(heard()).toHaveLength(2);
  await resolve(cause.id);
  await until('both are told', () => heard().filter((line) => line === 'ops: Slow').length === 2);
});

test('what nobody takes care of goes on to others, once', async () => {
  await good('PUT', '/alerts/routes', {
    default_route: { channels: ['ops'], escalation: [{ after_seconds: 1, channels: ['pager'] }] },
  });
  await raise('a');
  const taken = await raise('b');
  await good('POST', `/alerts/${taken.id}/acknowledge`, {});
  await untilHeard('pager: a');
  await untilHeard('ops: b');
  expect(heard().filter((line) => line.startsWith('pager'))).toEqual(['pager: a']);
});

test('what begins again and again is told to flap, and its history says so', async () => {
  await good('PUT', '/alerts/routes', { default_route: { channels: ['ops'] } });
  const ids: string[] = [];
  for (let time = 1; time <= 3; time++) {
    const { id } = await raise('a');
    ids.push(id);
    await until('it is told', () => heard().filter((line) => line === 'ops: a').length === time);
    await resolve(id);
    if (time < 3) await until('its end is told', () => heard().filter((line) => line === 'ops: -a').length === time);
  }
  expect(JSON.parse(sink.received.at(-1)!.body).alerts[0].annotations.flapping).toContain('again and again');
  await raise('a');
  await raise('b');
  await untilHeard('ops: b');
  expect(heard()).toEqual(['ops: a', 'ops: -a', 'ops: a', 'ops: -a', 'ops: a', 'ops: b']);
  const { items } = await good('GET', `/alerts/${ids[2]}/history`);
  expect(items.map(({ action }: { action: string }) => action)).toContain('flapping');
});

test('routes are one document with a version', async () => {
  const before = await server.api('GET', '/alerts/routes');
  expect(before.headers.get('etag')).toBe('"0"');
  expect(before.body).toMatchObject({ routes: [], default_route: { channels: null, group_by: ['...'] }, version: 0, updated_at: null });
  const routing = { routes: [{ name: 'r', channels: ['ops'] }], inhibitions: [] };
  expect((await server.api('PUT', '/alerts/routes', routing, { 'if-match': '"3"' })).status).toBe(412);
  const put = await server.api('PUT', '/alerts/routes', routing, { 'if-match': '"0"' });
  expect(put.body).toMatchObject({
    version: 1,
    updated_by: 'root',
    routes: [{ name: 'r', group_by: ['alertname'], group_wait_seconds: 30 }],
  });
  expect((await server.api('PUT', '/alerts/routes', routing, { 'if-match': '"0"' })).status).toBe(412);
  expect((await server.api('PUT', '/alerts/routes', routing)).body.version).toBe(2);
});

const named = (change: object) => ({ routes: [{ name: 'r', ...change }] });
test.each([
  [named({ channels: ['ops', 'nobody'] }), 'routes[0].channels[1]'],
  [named({ name: 'default' }), 'routes[0].name'],
  [{ routes: [{ name: 'r' }, { name: 'r' }] }, 'routes[1].name'],
  [named({ matchers: [{ label: 'a', operator: '!~', value: '[' }] }), 'routes[0].matchers[0].value'],
  [named({ matchers: [{ label: '', operator: '=', value: '' }] }), 'routes[0].matchers[0].label'],
  [named({ group_interval_seconds: 0 }), 'routes[0].group_interval_seconds'],
  [named({ escalation: [{ after_seconds: 5, channels: ['boss'] }] }), 'routes[0].escalation[0].channels[0]'],
  [named({ receiver: 'x' }), 'routes[0].receiver'],
  [named({ matchers: [{ ...is('a', 'b'), toString: 'x' }] }), 'routes[0].matchers[0].toString'],
  [{ default_route: { channels: ['nobody'] } }, 'default_route.channels[0]'],
  [{ default_route: [] }, 'default_route'],
  [{ routes: 'x' }, 'routes'],
  [{ inhibitions: [{ name: 'i', source_matchers: [], target_matchers: [is('a', 'b')] }] }, 'inhibitions[0].source_matchers'],
])('routes as in %j are refused by name', async (routing, field) => {
  const answer = await server.api('PUT', '/alerts/routes', routing);
  expect(answer.status).toBe(400);
  expect(answer.body.errors.map((error: { field: string }) => error.field)).toEqual([field]);
});

test('a test says what would become of an alert', async () => {
  await good('PUT', '/alerts/routes', {
    routes: [
      { name: 'all', channels: ['ops'], continue: true },
      { name: 'db', matchers: [is('team', 'db')], channels: ['pager'], group_by: ['team'], group_wait_seconds: 5 },
    ],
    inhibitions: [{ name: 'i', source_matchers: [is('alertname', 'cause')], target_matchers: [is('team', 'db')] }],
  });
  const silence = await good('POST', '/alerts/silences', { matchers: [is('team', 'db')], ends_at: soon(60), comment: 'c' });
  const cause = await raise('cause');
  expect(await good('POST', '/alerts/routes/test', { labels: { team: 'db' } })).toMatchObject({
    routes: [
      { route: 'all', channels: ['ops'], group_labels: { alertname: 'Test' } },
      { route: 'db', channels: ['pager'], group_labels: { team: 'db' }, group_wait_seconds: 5 },
    ],
    silenced_by: [silence.id],
    inhibited_by: [cause.id],
  });
  expect((await good('POST', '/alerts/routes/test', {})).routes).toMatchObject([{ route: 'all' }]);
});

test('Socket.IO and gRPC answer as REST does', async () => {
  const socket = await connectSocket(`${server.url}/alerts`, { auth: { token: server.token } });
  const grpc = new GrpcClient(server.server.grpcAddress, server.token);
  const silences = 'arkitect.v1.AlertSilenceService';
  const routes = 'arkitect.v1.AlertRouteService';
  const body = { matchers: [is('a', '1')], ends_at: soon(60), comment: 'c', author: 'me' };
  const silence = await ask(socket, 'create_silence', body);
  expect(await good('GET', `/alerts/silences/${silence.id}`)).toEqual(silence);
  expect(await ask(socket, 'get_silence', { id: silence.id })).toEqual(silence);
  expect(await ask(socket, 'list_silences', { status: ['active'] })).toEqual({ items: [silence], next_cursor: null });
  expect((await grpc.call('GetAlertSilence', { id: silence.id }, silences)).silence).toEqual(silence);
  expect((await grpc.call('ListAlertSilences', {}, silences)).items).toEqual([silence]);
  expect(await ask(socket, 'update_silence', { id: silence.id, version: 1, comment: 'd' })).toMatchObject({ comment: 'd', version: 2 });
  expect((await grpc.call('UpdateAlertSilence', { id: silence.id, comment: 'e' }, silences)).silence).toMatchObject({ version: 3 });
  expect((await grpc.call('ExpireAlertSilence', { id: silence.id }, silences)).silence).toMatchObject({ status: 'expired' });
  expect(await ask(socket, 'expire_silence', { id: silence.id })).toMatchObject({ error: { code: 'CONFLICT' } });
  expect((await grpc.call('CreateAlertSilence', body, silences)).silence).toMatchObject({ author: 'me', status: 'active' });

  const routing = { routes: [{ name: 'r', matchers: [is('a', '')], channels: ['ops'] }], default_route: { channels: ['pager'] } };
  const put = await ask(socket, 'put_routes', { ...routing, version: 0 });
  expect(put).toEqual(await good('GET', '/alerts/routes'));
  expect(await ask(socket, 'get_routes', {})).toEqual(put);
  const { routing: got } = await grpc.call('GetAlertRoutes', {}, routes);
  expect(got).toMatchObject({ version: 1, routes: [{ name: 'r', matchers: [is('a', '')], channels: ['ops'], group_by: ['alertname'] }] });
  expect((await grpc.call('PutAlertRoutes', { ...routing, version: 1 }, routes)).routing).toMatchObject({ version: 2 });
  await expect(grpc.call('PutAlertRoutes', { ...routing, version: 1 }, routes)).rejects.toMatchObject({ reason: 'VERSION_MISMATCH' });
  const way = await ask(socket, 'test_routes', { labels: { a: '1' } });
  expect(way).toMatchObject({ routes: [{ route: 'default', channels: ['pager'] }] });
  expect((await grpc.call('TestAlertRoutes', { labels: { a: '1' } }, routes)).routes).toMatchObject(way.routes);
  grpc.close();
});
