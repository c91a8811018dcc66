import { once } from 'node:events';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { freePort } from '../../../test/support/free-port.js';
import { startHttpSink, type HttpSink } from '../../../test/support/http-sink.js';
import { aNotification } from '../../../test/support/notification.js';
import { AddressGuard } from '../../outbound/address-guard.js';
import { dnsLookup, type Lookup } from '../../outbound/guarded-connect.js';
import { alertmanager } from './alertmanager.js';
import { DeliveryError } from './channel.js';
import { slack } from './slack.js';
import { signature, webhook } from './webhook.js';

let sink: HttpSink;
const reach = { guard: new AddressGuard(['127.0.0.1']), lookup: dnsLookup };
const never = new AbortController().signal;

beforeAll(async () => {
  sink = await startHttpSink();
});
afterAll(() => sink.close());
beforeEach(() => {
  sink.received.length = 0;
  sink.answer = (response) => response.writeHead(200).end('{}');
});

async function failure(run: Promise<void>): Promise<DeliveryError> {
  const error: unknown = await run.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(DeliveryError);
  return error as DeliveryError;
}

describe('a webhook', () => {
  test('gets the notification, signed over timestamp and body', async () => {
    const notification = aNotification();
    await webhook(reach, () => 1_700_000_000_000)(notification, { url: `${sink.url}/hook?a=1`, secret: 's3cret' }, never);
    const [request] = sink.received;
    expect(request!.path).toBe('/hook?a=1');
    expect(JSON.parse(request!.body)).toEqual({
      version: '1',
      id: notification.id,
      channel: 'ops',
      group_key: notification.group_key,
      ...notification.content,
    });
    expect(request!.headers).toMatchObject({
      'content-type': 'application/json',
      'arkitect-notification-id': notification.id,
      'arkitect-timestamp': '1700000000',
      'arkitect-signature': signature('s3cret', '1700000000', request!.body),
    });
  });

  test('without a secret is not signed, and carries its token', async () => {
    await webhook(reach)(aNotification(), { url: sink.url, bearer_token: 'abc' }, never);
    expect(sink.received[0]!.headers['arkitect-signature']).toBeUndefined();
    expect(sink.received[0]!.headers.authorization).toBe('Bearer abc');
  });

  test('has the body of its template, which quotes values for JSON', async () => {
    const template = '{"text": {{ alerts[0].annotations.summary | json }}, "n": {{ alerts.size }}}';
    await webhook(reach)(aNotification({ annotations: { summary: 'say "hi"' } }), { url: sink.url, template }, never);
    expect(JSON.parse(sink.received[0]!.body)).toEqual({ text: 'say "hi"', n: 1 });
  });

  test('is not sent when its template fails', async () => {
    const error = await failure(
      webhook(reach)(aNotification(), { url: sink.url, template: '{% for i in (1..99999999) %}{{ i }}{% endfor %}' }, never),
    );
    expect(error).toMatchObject({ reason: 'client_error', options: { retryable: false } });
    expect(sink.received).toEqual([]);
  });

  test.each([
    [401, 'auth', true],
    [403, 'auth', true],
    [400, 'client_error', false],
    [404, 'client_error', false],
    [301, 'client_error', false],
    [429, 'rate_limited', true],
    [500, 'server_error', true],
    [503, 'server_error', true],
  ])('that answers %i fails as %s, retryable: %j', async (status, reason, retryable) => {
    sink.answer = (response) => response.writeHead(status, { 'retry-after': '7', location: 'http://127.0.0.1:1/' }).end('inner secret');
    const error = await failure(webhook(reach)(aNotification(), { url: sink.url }, never));
    expect(error).toMatchObject({ reason, options: { retryable } });
    expect(error.options.retry_after_seconds).toBe(retryable ? 7 : undefined);
    expect(error.message).not.toContain('inner secret');
    expect(sink.received).toHaveLength(1);
  });

  test('that nobody listens for fails as refused', async () => {
    const url = `http://127.0.0.1:${await freePort()}/`;
    expect(await failure(webhook(reach)(aNotification(), { url }, never))).toMatchObject({
      reason: 'refused',
      options: { retryable: true },
    });
  });

  test('that cuts the connection fails as network', async () => {
    sink.answer = (response) => response.destroy();
    expect(await failure(webhook(reach)(aNotification(), { url: sink.url }, never))).toMatchObject({ reason: 'network' });
  });

  test('that does not answer in time fails as timeout', async () => {
    const asked = new AbortController();
    const left = new Promise<void>((resolve) => {
      sink.answer = (response) => {
        void once(response, 'close').then(() => resolve());
        asked.abort();
      };
    });
    expect(await failure(webhook(reach)(aNotification(), { url: sink.url }, asked.signal))).toMatchObject({ reason: 'timeout' });
    await left;
  });
});

describe('an address that is not public', () => {
  const closed = new AddressGuard([]);
  const toLoopback: Lookup = async () => [{ address: '127.0.0.1', family: 4 }];

  test.each(['127.0.0.1', '[::1]', '169.254.169.254', '10.0.0.1', '[::ffff:127.0.0.1]'])('is refused: %s', async (host) => {
    const send = webhook({ guard: closed, lookup: dnsLookup });
    const error = await failure(send(aNotification(), { url: `http://${host}:${sink.port}/` }, never));
    expect(error).toMatchObject({ reason: 'blocked', options: { retryable: false } });
    expect(sink.received).toEqual([]);
  });

  test('is refused behind a name, for every kind', async () => {
    const url = `http://rebound.example:${sink.port}/`;
    const inside = { guard: closed, lookup: toLoopback };
    for (const sent of [
      webhook(inside)(aNotification(), { url }, never),
      slack(inside)(aNotification(), { url }, never),
      alertmanager(inside)(aNotification(), { url }, never),
    ]) {
      expect((await failure(sent)).reason).toBe('blocked');
    }
    expect(sink.received).toEqual([]);
  });

  test('is refused when one of several answers is private, and a name is asked once', async () => {
    const asked: string[] = [];
    const lookup: Lookup = async (name) => {
      asked.push(name);
      return [
        { address: '8.8.8.8', family: 4 },
        { address: '127.0.0.1', family: 4 },
      ];
    };
    const send = webhook({ guard: closed, lookup });
    expect((await failure(send(aNotification(), { url: `http://rebound.example:${sink.port}/` }, never))).reason).toBe('blocked');
    expect(asked).toEqual(['rebound.example']);
  });

  test('is not reached by a redirect', async () => {
    sink.answer = (response) => response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end();
    expect((await failure(webhook(reach)(aNotification(), { url: sink.url }, never))).message).toContain('Redirects are not followed');
    expect(sink.received).toHaveLength(1);
  });
});

test('Slack gets title, lines and color, and no label can mention a channel', async () => {
  await slack(reach)(aNotification({ annotations: { summary: '<!channel> & more' } }), { url: `${sink.url}/services/x` }, never);
  const body = JSON.parse(sink.received[0]!.body) as { text: string; attachments: { text: string; color: string }[] };
  expect(body.text).toBe('[FIRING 1] Backlog');
  expect(body.attachments[0]!.text).toContain('&lt;!channel&gt; &amp; more');
  expect(body.attachments[0]!.color).toBe('#ef6c00');
});

test('an Alertmanager gets active alerts with an end ahead, and resolved ones with theirs', async () => {
  const now = Date.parse('2026-01-01T01:00:00Z');
  const send = alertmanager(reach, () => now);
  await send(aNotification({ labels: { 'my.team/x': 'a', empty: '' } }), { url: `${sink.url}/am/` }, never);
  await send(aNotification({ status: 'resolved', resolved_at: '2026-01-01T00:30:00.000Z' }), { url: `${sink.url}/am` }, never);
  expect(sink.received.map(({ path }) => path)).toEqual(['/am/api/v2/alerts', '/am/api/v2/alerts']);
  expect(JSON.parse(sink.received[0]!.body)).toEqual([
    {
      labels: { my_team_x: 'a', alertname: 'Backlog', severity: 'warning' },
      annotations: { summary: 'Tasks wait' },
      startsAt: '2026-01-01T00:00:00.000Z',
      endsAt: '2026-01-01T07:00:00.000Z',
    },
  ]);
  expect(JSON.parse(sink.received[1]!.body)).toMatchObject([{ endsAt: '2026-01-01T00:30:00.000Z' }]);
});
