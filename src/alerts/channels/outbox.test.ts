import { randomUUIDv7 } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { openTestDatabase } from '../../../test/support/database.js';
import { startHttpSink, type HttpSink } from '../../../test/support/http-sink.js';
import { aNotification } from '../../../test/support/notification.js';
import { until } from '../../../test/support/until.js';
import type { Database } from '../../database/database.js';
import { WakeUps } from '../../events/wake-ups.js';
import { AddressGuard } from '../../outbound/address-guard.js';
import { dnsLookup } from '../../outbound/guarded-connect.js';
import { Outbox } from './outbox.js';
import { OutboxStore } from './outbox.store.js';
import { Senders } from './senders.js';

let opened: Awaited<ReturnType<typeof openTestDatabase>>;
let database: Database;
let store: OutboxStore;
let wakeUps: WakeUps;
let sink: HttpSink;
let outboxes: Outbox[] = [];

const senders = new Senders({ guard: new AddressGuard(['127.0.0.1']), lookup: dnsLookup }, async () => undefined);

beforeAll(async () => {
  opened = await openTestDatabase();
  database = opened.database;
  store = new OutboxStore(database);
  wakeUps = new WakeUps(database, 'outbox-test', () => undefined);
  await wakeUps.start();
  sink = await startHttpSink();
});
afterAll(async () => {
  await wakeUps.stop();
  await sink.close();
  await opened.close();
});
beforeEach(async () => {
  sink.received.length = 0;
  sink.answer = (response) => response.writeHead(200).end();
  await database.api.queryText('DELETE FROM alert_notifications');
  await database.api.queryText('DELETE FROM alert_channel_counts');
});
afterEach(async () => {
  await Promise.all(outboxes.map((outbox) => outbox.stop()));
  outboxes = [];
});

function startOutbox(): Outbox {
  const outbox = new Outbox(store, senders, wakeUps, (error) => {
    throw error;
  });
  outboxes.push(outbox);
  outbox.start();
  return outbox;
}

async function aChannel(spec: object = { url: sink.url }, kind = 'webhook'): Promise<string> {
  const id = randomUUIDv7();
  await database.api.queryText(
    "INSERT INTO alert_channels (tenant_id, id, name, kind, spec, created_by) VALUES ('default', $1, $2, $3, $4, 'test')",
    [id, `c-${id}`, kind, JSON.stringify(spec)],
  );
  return id;
}

async function tell(channel: string, group = 'g', createdSecondsAgo = 0): Promise<string> {
  const { id, content } = aNotification();
  await database.api.queryText(
    `INSERT INTO alert_notifications (tenant_id, id, channel_id, group_key, content, created_at)
VALUES ('default', $1, $2, $3, $4, now() - make_interval(secs => $5))`,
    [id, channel, group, JSON.stringify(content), createdSecondsAgo],
  );
  return id;
}

interface Row {
  state: string;
  attempts: number;
  reason: string | null;
  error: string | null;
  wait: number;
}

async function rowOf(id: string): Promise<Row> {
  const rows = await database.api.queryText<Row>(
    'SELECT state, attempts, reason, error, extract(epoch FROM next_at - now())::float8 AS wait FROM alert_notifications WHERE id = $1',
    [id],
  );
  return rows[0]!;
}

const settled = (id: string, state: string) =>
  until(`${id} is ${state}`, async () => {
    const row = await rowOf(id);
    return row.state === state && row;
  });

test('a notification is sent once it is there, by one of two replicas, and counted', async () => {
  startOutbox();
  startOutbox();
  const id = await tell(await aChannel());
  wakeUps.signal('alert_notifications');
  await settled(id, 'sent');
  expect(sink.received.map(({ headers }) => headers['arkitect-notification-id'])).toEqual([id]);
  expect(await store.counts()).toMatchObject([{ outcome: 'sent', reason: '', count: 1 }]);
});

test('notifications of a group arrive in order, also when the first has to be tried again', async () => {
  const channel = await aChannel();
  // Made in the same millisecond, they need not be in the order in which they were made.
  const ids = [await tell(channel), await tell(channel), await tell(channel)].toSorted();
  const refusals = [503];
  sink.answer = (response) => response.writeHead(refusals.pop() ?? 200).end();
  startOutbox();
  startOutbox();
  await settled(ids[2]!, 'sent');
  expect(sink.received.map(({ headers }) => headers['arkitect-notification-id'])).toEqual([ids[0], ...ids]);
});

test('a group that waits holds up no other group', async () => {
  const channel = await aChannel();
  const held = await tell(channel, 'held');
  sink.answer = (response, { headers }) => response.writeHead(headers['arkitect-notification-id'] === held ? 503 : 200).end();
  startOutbox();
  await settled(await tell(channel, 'free').then((id) => (wakeUps.signal('alert_notifications'), id)), 'sent');
  expect((await rowOf(held)).state).toBe('waiting');
});

test('a receiver that asks for time gets it', async () => {
  sink.answer = (response) => response.writeHead(429, { 'retry-after': '90' }).end();
  const id = await tell(await aChannel());
  startOutbox();
  const row = await until('it was tried', async () => {
    const row = await rowOf(id);
    return row.reason !== null && row;
  });
  expect(row).toMatchObject({ state: 'waiting', attempts: 1, reason: 'rate_limited' });
  expect(row.wait).toBeGreaterThan(80);
});

test.each([
  ['a refusal that will not change', 400, 0, 'client_error'],
  ['a day of attempts', 503, 86_399.5, 'server_error'],
])('%s ends it, with the reason', async (_what, status, age, reason) => {
  sink.answer = (response) => response.writeHead(status).end();
  const id = await tell(await aChannel(), 'g', age);
  startOutbox();
  expect(await settled(id, 'failed')).toMatchObject({ reason, error: `${sink.url} answered ${status}.` });
});

test('a channel that is gone fails what waits for it', async () => {
  const id = await tell(randomUUIDv7());
  startOutbox();
  expect(await settled(id, 'failed')).toMatchObject({ error: 'The channel has been deleted.' });
});

test('what is claimed is nobody else’s until the lease ends, and a late settlement changes nothing', async () => {
  await tell(await aChannel());
  const [first] = await store.claim(10, [], 0);
  const [second] = await store.claim(10, [], 60);
  expect(second).toMatchObject({ id: first!.id, attempts: 2 });
  expect(await store.claim(10, [], 60)).toEqual([]);
  await store.settle(first!, { outcome: 'sent', reason: null, error: null, duration_ms: 1, delay_seconds: 0 });
  expect(await rowOf(first!.id)).toMatchObject({ state: 'waiting', attempts: 2 });
});

test('a stop gives back what is being sent', async () => {
  const asked = new Promise<void>((resolve) => (sink.answer = () => resolve()));
  const id = await tell(await aChannel());
  const outbox = startOutbox();
  await asked;
  await outbox.stop();
  expect(await rowOf(id)).toMatchObject({ state: 'waiting', attempts: 0 });
});

test('rows that are settled go after a week, waiting ones do not', async () => {
  const channel = await aChannel();
  const old = await tell(channel, 'a', 8 * 86_400);
  const waiting = await tell(channel, 'b', 8 * 86_400);
  const young = await tell(channel, 'c');
  await database.api.queryText("UPDATE alert_notifications SET state = 'sent' WHERE id = ANY($1)", [[old, young]]);
  expect(await store.prune()).toBe(false);
  expect([await rowOf(old), await rowOf(waiting), await rowOf(young)].map((row) => row?.state)).toEqual([undefined, 'waiting', 'sent']);
});

test('a channel that fails for long is known, and a heartbeat waits for the one before', async () => {
  const channel = await aChannel();
  const id = await tell(channel, 'g', 700);
  await database.api.queryText("UPDATE alert_notifications SET reason = 'timeout' WHERE id = $1", [id]);
  expect(await store.failing(600)).toMatchObject([{ channel: `c-${channel}`, reason: 'timeout', waiting: 1 }]);
  const { content } = aNotification();
  expect(await store.heartbeat('default', `c-${channel}`, randomUUIDv7(), content)).toBe(true);
  expect(await store.heartbeat('default', `c-${channel}`, randomUUIDv7(), content)).toBe(false);
  expect(await store.heartbeat('default', 'no-such-channel', randomUUIDv7(), content)).toBe(false);
});
