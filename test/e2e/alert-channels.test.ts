import { randomUUIDv7 } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { signature } from '../../src/alerts/channels/webhook.js';
import { GrpcClient } from '../support/grpc.js';
import { startHttpSink, type HttpSink } from '../support/http-sink.js';
import { aNotification } from '../support/notification.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { ask, closeSockets, connectSocket } from '../support/socket-client.js';
import { until } from '../support/until.js';

let server: TestServer;
let sink: HttpSink;
let names = 0;

beforeAll(async () => {
  sink = await startHttpSink();
  server = await startTestServer({ HTTP_ALLOW_HOSTS: '127.0.0.1' });
});
afterAll(async () => {
  await server.close();
  await sink.close();
});
beforeEach(() => {
  sink.received.length = 0;
  sink.answer = (response) => response.writeHead(200).end();
});
afterEach(closeSockets);

async function created(body: object = {}) {
  const spec = { url: sink.url, secret: 'canary-secret', bearer_token: 'canary-token' };
  const answer = await server.api('POST', '/alerts/channels', { name: `ops-${(names += 1)}`, kind: 'webhook', spec, ...body });
  expect(answer.status, JSON.stringify(answer.body)).toBe(201);
  return answer;
}

async function tell(channelId: string): Promise<string> {
  const { id, content } = aNotification();
  await server.server.kernel.database.api.queryText(
    "INSERT INTO alert_notifications (tenant_id, id, channel_id, group_key, content) VALUES ('default', $1, $2, 'g', $3)",
    [id, channelId, JSON.stringify(content)],
  );
  server.server.kernel.wakeUps.signal('alert_notifications');
  return id;
}

test('a channel is created, read, changed and deleted, and never shows its secrets', async () => {
  const { body, headers } = await created();
  expect(headers.get('etag')).toBe('"1"');
  expect(body).toMatchObject({ kind: 'webhook', enabled: true, spec: { url: sink.url, has_secret: true, has_bearer_token: true } });
  const path = `/alerts/channels/${body.id}`;
  const answers = [
    await server.api('GET', path),
    await server.api('GET', '/alerts/channels'),
    await server.api('PATCH', path, { enabled: false }, { 'if-match': '"1"' }),
    await server.api('PATCH', path, { spec: { url: 'https://evil.example/' } }),
    await server.api('PATCH', path, { enabled: true }, { 'if-match': '"1"' }),
    await server.api('DELETE', path, undefined, { 'if-match': '"9"' }),
    await server.api('DELETE', path),
    await server.api('GET', path),
  ];
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 400, 412, 412, 204, 404]);
  expect(JSON.stringify([body, ...answers.map((answer) => answer.body as unknown)])).not.toContain('canary');
});

test('a name is taken once', async () => {
  const { body } = await created({ kind: 'socket', spec: {} });
  expect((await server.api('POST', '/alerts/channels', { name: body.name, kind: 'socket' })).status).toBe(409);
});

test('a test says how it went', async () => {
  const { body } = await created();
  const good = await server.api('POST', `/alerts/channels/${body.id}/test`);
  expect(good.body).toMatchObject({ delivered: true, reason: null, error: null });
  const [request] = sink.received;
  const timestamp = request!.headers['arkitect-timestamp'] as string;
  expect(request!.headers['arkitect-signature']).toBe(signature('canary-secret', timestamp, request!.body));
  sink.answer = (response) => response.writeHead(401).end();
  expect((await server.api('POST', `/alerts/channels/${body.id}/test`)).body).toMatchObject({ delivered: false, reason: 'auth' });
});

test('an address of the inner network is refused', async () => {
  const { body } = await created({ spec: { url: 'http://169.254.169.254/latest' } });
  expect((await server.api('POST', `/alerts/channels/${body.id}/test`)).body).toMatchObject({ delivered: false, reason: 'blocked' });
});

test('what is written to the outbox arrives, and the delivery log tells', async () => {
  const { body } = await created();
  const id = await tell(body.id);
  const path = `/alerts/channels/${body.id}/deliveries`;
  const sent = await until('it is sent', async () => {
    const [delivery] = (await server.api('GET', path)).body.items;
    return delivery?.state === 'sent' && delivery;
  });
  expect(sent).toMatchObject({ id, group_key: 'g', status: 'firing', alerts: 1, attempts: 1, next_at: null, reason: null });
  expect(sink.received[0]!.headers['arkitect-notification-id']).toBe(id);
});

test('every channel that is on is told when an alert begins and ends, once and in order', async () => {
  const { body: channel } = await created();
  await created({ enabled: false, spec: { url: `${sink.url}/off` } });
  const alert = { name: 'BackupFailed', labels: { host: `db-${channel.name}` }, annotations: { summary: 'No backup.' } };
  const { body } = await server.api('POST', '/alerts', alert);
  await server.api('POST', '/alerts', { ...alert, value: 2 });
  const path = `/alerts/channels/${channel.id}/deliveries`;
  await until('the beginning is told', async () => (await server.api('GET', path)).body.items.length === 1);
  await server.api('POST', `/alerts/${body.id}/acknowledge`, {});
  await server.api('POST', `/alerts/${body.id}/resolve`, {});
  await until('both are delivered', async () => {
    const { items } = (await server.api('GET', path)).body;
    return items.length === 2 && items.every(({ state }: { state: string }) => state === 'sent');
  });
  const told = sink.received
    .map(({ path: to, body: text }) => ({ to, ...JSON.parse(text) }))
    .filter(({ channel: name }) => name === channel.name);
  expect(told).toMatchObject([
    {
      to: '/',
      status: 'firing',
      group_key: told[1].group_key,
      common_labels: alert.labels,
      alerts: [{ id: body.id, status: 'open', annotations: alert.annotations }],
    },
    { to: '/', status: 'resolved', alerts: [{ id: body.id, status: 'resolved', resolved_by: 'root' }] },
  ]);
  expect(sink.received.filter(({ path: to }) => to === '/off')).toEqual([]);
});

test('what a socket channel tells is heard on every replica, and is no event of an alert', async () => {
  const { body } = await created({ kind: 'socket', spec: {} });
  const other = await startTestServer({ ADMIN_TOKEN: server.token }, server.settings.DATABASE_URL);
  try {
    const sockets = await Promise.all(
      [server.url, other.url].map((url) => connectSocket(`${url}/alerts`, { auth: { token: server.token } })),
    );
    const events: unknown[] = [];
    sockets[1]!.onAny((action) => events.push(action));
    await ask(sockets[1]!, 'subscribe', {});
    const heard = sockets.map((socket) => new Promise<object>((resolve) => socket.once('alert_notification', resolve)));
    const id = await tell(body.id);
    expect(await Promise.all(heard)).toMatchObject([{ id }, { id, channel: body.name }]);
    expect(events).toEqual(['alert_notification']);
  } finally {
    await other.close();
  }
});

test('Socket.IO has the same, and hears what a socket channel tells', async () => {
  const { body } = await created({ kind: 'socket', spec: {} });
  const socket = await connectSocket(`${server.url}/alerts`, { auth: { token: server.token } });
  const heard = new Promise<object>((resolve) => socket.once('alert_notification', resolve));
  const id = await tell(body.id);
  expect(await heard).toMatchObject({ id, channel: body.name, content: { status: 'firing' } });
  expect(await ask(socket, 'get_channel', { id: body.id })).toMatchObject({ name: body.name });
  expect(await ask(socket, 'update_channel', { id: body.id, version: 1, enabled: false })).toMatchObject({ enabled: false, version: 2 });
  expect(await ask(socket, 'list_deliveries', { id: body.id, limit: 1 })).toMatchObject({ items: [{ id }], next_cursor: null });
  expect(await ask(socket, 'delete_channel', { id: randomUUIDv7() })).toMatchObject({ error: { code: 'NOT_FOUND' } });
});

test('gRPC has the same', async () => {
  const client = new GrpcClient(server.server.grpcAddress, server.token);
  const service = 'arkitect.v1.AlertChannelService';
  const { channel } = await client.call('CreateAlertChannel', { name: 'rpc', kind: 'slack', spec: { url: sink.url } }, service);
  expect(channel).toMatchObject({ name: 'rpc', kind: 'slack', spec: { has_url: true } });
  expect(JSON.stringify(channel)).not.toContain(sink.url);
  expect(await client.call('TestAlertChannel', { id: channel.id }, service)).toMatchObject({ delivered: true });
  await client.call('DeleteAlertChannel', { id: channel.id }, service);
  await expect(client.call('GetAlertChannel', { id: channel.id }, service)).rejects.toMatchObject({ reason: 'NOT_FOUND' });
  client.close();
});
