import type { Socket } from 'socket.io-client';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { AlertsStore } from '../../src/alerts/alerts.store.js';
import { forgetAlerts } from '../support/forget-alerts.js';
import { GrpcClient } from '../support/grpc.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { ask, closeSockets, connectSocket } from '../support/socket-client.js';
import { until } from '../support/until.js';

const missing = '0198f3c2-7d1e-7a55-9b5e-3f0c8a1d2e4b';
const service = 'arkitect.v1.AlertService';

let server: TestServer;
let socket: Socket;
let grpc: GrpcClient;

beforeAll(async () => {
  server = await startTestServer();
  socket = await connectSocket(`${server.url}/alerts`, { auth: { token: server.token } });
  grpc = new GrpcClient(server.server.grpcAddress, server.token);
});
afterAll(async () => {
  closeSockets();
  grpc.close();
  await server.close();
});
beforeEach(async () => {
  await ask(socket, 'unsubscribe');
  await forgetAlerts(server.server.kernel.database);
});

const backup = {
  name: 'BackupFailed',
  severity: 'critical',
  source: 'backup',
  labels: { host: 'db-1' },
  annotations: { summary: 'It ended with an error.' },
};

async function raise(body: object = backup) {
  const { status, body: alert } = await server.api('POST', '/alerts', body);
  expect([200, 201]).toContain(status);
  return alert;
}

const rows = (sql: string) => server.server.kernel.database.api.queryText(sql);

test('an alert is raised once, and brought up to date while it lasts', async () => {
  const first = await server.api('POST', '/alerts', backup);
  expect(first).toMatchObject({ status: 201, body: { ...backup, status: 'open', version: 1, value: null, resolved_at: null } });
  expect(first.headers.get('location')).toBe(`/alerts/${first.body.id}`);
  const again = await server.api('POST', '/alerts', { ...backup, severity: 'warning', value: 3, expires_in_seconds: 60 });
  expect(again).toMatchObject({
    status: 200,
    body: { id: first.body.id, severity: 'warning', value: 3, version: 2, started_at: first.body.started_at },
  });
  const elsewhere = await server.api('POST', '/alerts', { ...backup, labels: { host: 'db-2' } });
  expect(elsewhere.status).toBe(201);
  await server.api('POST', `/alerts/${first.body.id}/resolve`, {});
  const next = await server.api('POST', '/alerts', backup);
  expect(next.status).toBe(201);
  expect(next.body.id).not.toBe(first.body.id);
});

test('many who raise the same condition at once raise one alert', async () => {
  const answers = await Promise.all(Array.from({ length: 20 }, () => server.api('POST', '/alerts', backup)));
  expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
});

test('it is acknowledged, and resolved, with notes in its history', async () => {
  const { id } = await raise();
  const acknowledged = await server.api('POST', `/alerts/${id}/acknowledge`, { note: 'Looking into it.' });
  expect(acknowledged).toMatchObject({ status: 200, body: { status: 'acknowledged', acknowledged_by: 'root', acknowledged_until: null } });
  expect((await server.api('POST', `/alerts/${id}/resolve`)).body).toMatchObject({ status: 'resolved', resolved_by: 'root' });
  const late = await server.api('POST', `/alerts/${id}/acknowledge`, {});
  expect(late).toMatchObject({ status: 409, body: { code: 'CONFLICT' } });
  const { body } = await server.api('GET', `/alerts/${id}/history`);
  expect(body.items).toMatchObject([
    { action: 'created', by: 'root', note: null },
    { action: 'acknowledged', by: 'root', note: 'Looking into it.' },
    { action: 'resolved', by: 'root', note: null },
  ]);
  expect((await server.api('GET', `/alerts/${id}/history?limit=1&cursor=${body.items[0].id}`)).body).toMatchObject({
    items: [{ action: 'acknowledged' }],
    next_cursor: body.items[1].id,
  });
  expect((await server.api('POST', `/alerts/${missing}/resolve`, {})).status).toBe(404);
});

test('what nobody repeats ends, and an acknowledgement that timed out leaves it open again', async () => {
  const { id: expiring } = await raise({ ...backup, expires_in_seconds: 60 });
  const { id: acknowledged } = await raise({ name: 'Other' });
  await server.api('POST', `/alerts/${acknowledged}/acknowledge`, { minutes: 5 });
  const store = server.server.app.get(AlertsStore, { strict: false });
  expect(await store.sweep(10)).toBe(0);
  await rows("UPDATE alerts SET expires_at = now() - interval '1 s' WHERE expires_at IS NOT NULL");
  await rows("UPDATE alerts SET acknowledged_until = now() - interval '1 s' WHERE acknowledged_until IS NOT NULL");
  expect(await store.sweep(10)).toBe(2);
  expect((await server.api('GET', `/alerts/${expiring}`)).body).toMatchObject({ status: 'resolved', resolved_by: 'expiry' });
  expect((await server.api('GET', `/alerts/${acknowledged}`)).body).toMatchObject({ status: 'open', acknowledged_until: null });
  const { body } = await server.api('GET', `/alerts/${acknowledged}/history`);
  expect(body.items.map(({ action }: { action: string }) => action)).toEqual(['created', 'acknowledged', 'reopened']);
});

test('alerts are found by state, severity, source, name and label, page by page', async () => {
  for (let index = 0; index < 5; index++) await raise({ ...backup, labels: { host: `db-${index}`, zone: index < 2 ? 'a' : 'b' } });
  await raise({ name: 'Slow' });
  const find = async (query: string) => (await server.api('GET', `/alerts?${query}`)).body;
  expect((await find('')).items).toHaveLength(6);
  expect((await find('severity=critical&source=backup')).items).toHaveLength(5);
  expect((await find('name=Slow,BackupFailed&severity=warning')).items).toMatchObject([
    { name: 'Slow', source: 'api', severity: 'warning' },
  ]);
  expect((await find('label=zone=a')).items).toHaveLength(2);
  expect((await find('label=host=db-1,host=db-4&label=zone=b')).items).toMatchObject([{ labels: { host: 'db-4' } }]);
  expect((await find('status=resolved')).items).toEqual([]);
  const page = await find('limit=4');
  expect(page.items).toHaveLength(4);
  const rest = await find(`limit=4&cursor=${page.next_cursor}`);
  expect([rest.items.length, rest.next_cursor]).toEqual([2, null]);
});

test('numbers are told by state, severity and name, with the times until somebody cared', async () => {
  const { id } = await raise();
  await raise({ name: 'Slow' });
  await rows("UPDATE alerts SET started_at = now() - interval '100 s'");
  await server.api('POST', `/alerts/${id}/acknowledge`, {});
  await server.api('POST', `/alerts/${id}/resolve`, {});
  const { body } = await server.api('GET', '/alerts/stats');
  expect(body).toMatchObject({
    days: 30,
    by_status: { open: 1, acknowledged: 0, resolved: 1 },
    by_severity: { info: 0, warning: 1, critical: 0 },
    noisiest: [
      { name: 'BackupFailed', count: 1 },
      { name: 'Slow', count: 1 },
    ],
  });
  expect(body.mean_seconds_to_acknowledge).toBeGreaterThan(99);
  expect(body.mean_seconds_to_resolve).toBeGreaterThan(99);
});

test.each([
  [{}, 'name'],
  [{ ...backup, severity: 'bad' }, 'severity'],
  [{ ...backup, labels: { 'a b': 'x' } }, 'labels'],
  [{ ...backup, expires_in_seconds: 0 }, 'expires_in_seconds'],
  [{ ...backup, lables: {} }, 'lables'],
])('a bad alert is refused by name: %j', async (body, field) => {
  const answer = await server.api('POST', '/alerts', body);
  expect(answer.status).toBe(400);
  expect(answer.body.errors.map((error: { field: string }) => error.field)).toContain(field);
});

test('every change comes to who has subscribed, and what was missed comes first', async () => {
  const heard: { action: string; name: string; seq: number }[] = [];
  socket.onAny((action: string, event: { name: string; seq: number }) => heard.push({ action, name: event.name, seq: event.seq }));
  const { seq } = await ask(socket, 'subscribe', { severity: ['critical'] });
  const { id } = await raise();
  await raise({ name: 'Unheard' });
  await server.api('POST', '/tasks', { name: 'no alert' });
  await ask(socket, 'acknowledge', { id });
  await ask(socket, 'resolve', { id, note: 'Done.' });
  await until('three events', () => heard.length >= 3);
  socket.offAny();
  expect(heard.map(({ action, name }) => `${action} ${name}`)).toEqual([
    'alert_created BackupFailed',
    'alert_acknowledged BackupFailed',
    'alert_resolved BackupFailed',
  ]);
  const call = grpc.stream('WatchAlerts', { since: seq, name: ['BackupFailed'] }, service);
  call.on('error', () => undefined);
  const seen: object[] = [];
  for await (const message of call) {
    seen.push(message);
    if (seen.length === 4) break;
  }
  call.cancel();
  expect(seen).toMatchObject([
    { start: { seq } },
    { event: { action: 'alert_created', seq: heard[0]!.seq, alert: { id, status: 'open', labels: backup.labels } } },
    { event: { action: 'alert_acknowledged' } },
    { event: { action: 'alert_resolved', alert: { status: 'resolved' } } },
  ]);
});

test('events of alerts do not reach those who listen to tasks', async () => {
  const tasks = await connectSocket(`${server.url}/tasks`, { auth: { token: server.token } });
  const heard: string[] = [];
  tasks.onAny((action: string) => heard.push(action));
  await ask(tasks, 'subscribe', {});
  await raise();
  await server.api('POST', '/tasks', { name: 'a task' });
  await until('the task', () => heard.length > 0);
  expect(heard).toEqual(['task_created']);
  tasks.disconnect();
});

test('Socket.IO and gRPC answer as REST does', async () => {
  const alert = await ask(socket, 'create', backup);
  const details = { ...alert, silenced_by: [], inhibited_by: [] };
  expect((await server.api('GET', `/alerts/${alert.id}`)).body).toEqual(details);
  expect(await ask(socket, 'get', { id: alert.id })).toEqual(details);
  expect((await ask(socket, 'list', { severity: ['critical'] })).items).toEqual([alert]);
  expect((await ask(socket, 'history', { id: alert.id })).items).toHaveLength(1);
  expect(await ask(socket, 'stats', {})).toEqual((await server.api('GET', '/alerts/stats')).body);
  const withoutNulls = JSON.parse(JSON.stringify(alert, (_, value: unknown) => value ?? undefined));
  expect((await grpc.call('GetAlert', { id: alert.id }, service)).alert).toEqual(withoutNulls);
  expect(await grpc.call('CreateAlert', backup, service)).toMatchObject({ alert: { id: alert.id, version: 2 } });
  expect((await grpc.call('ListAlerts', {}, service)).items).toHaveLength(1);
  expect((await grpc.call('AcknowledgeAlert', { id: alert.id, minutes: 5 }, service)).alert).toMatchObject({ status: 'acknowledged' });
  expect((await grpc.call('ResolveAlert', { id: alert.id }, service)).alert).toMatchObject({ status: 'resolved' });
  expect((await grpc.call('ListAlertHistory', { id: alert.id }, service)).items).toHaveLength(3);
  expect(await grpc.call('GetAlertStats', {}, service)).toMatchObject({ days: 30, by_status: { resolved: 1 } });
  await expect(grpc.call('ResolveAlert', { id: alert.id }, service)).rejects.toMatchObject({ reason: 'CONFLICT' });
});

test('resolved alerts leave after their days, the others stay', async () => {
  const { id } = await raise();
  await raise({ name: 'Stays' });
  await server.api('POST', `/alerts/${id}/resolve`, {});
  await rows("UPDATE alerts SET resolved_at = now() - interval '10 days' WHERE status = 'resolved'");
  const store = server.server.app.get(AlertsStore, { strict: false });
  expect(await store.prune(90, 10)).toBe(0);
  expect(await store.prune(9, 10)).toBe(1);
  expect(await rows('SELECT name FROM alerts')).toEqual([{ name: 'Stays' }]);
  expect(await rows(`SELECT 1 FROM alert_history WHERE alert_id = '${id}'`)).toEqual([]);
});
