import { expect, test } from 'vitest';
import { freePort } from '../../../test/support/free-port.js';
import { aNotification } from '../../../test/support/notification.js';
import { startSmtpSink } from '../../../test/support/smtp-sink.js';
import { AddressGuard } from '../../outbound/address-guard.js';
import { dnsLookup } from '../../outbound/guarded-connect.js';
import type { EmailSpec } from './channel.js';
import { email } from './email.js';

const reach = { guard: new AddressGuard(['127.0.0.1']), lookup: dnsLookup };
const never = new AbortController().signal;
const specFor = (port: number, changes: Partial<EmailSpec> = {}): EmailSpec => ({
  host: '127.0.0.1',
  port,
  security: 'none',
  from: 'arkitect@example.com',
  to: ['ops@example.com'],
  ...changes,
});

test('a mail arrives, with the id of the notification', async () => {
  const sink = await startSmtpSink({ user: { name: 'ops', password: 'pw' } });
  const notification = aNotification();
  await email(reach)(notification, specFor(sink.port, { user: 'ops', password: 'pw' }), never);
  expect(sink.messages).toHaveLength(1);
  expect(sink.messages[0]).toContain('Subject: [FIRING 1] Backlog');
  expect(sink.messages[0]).toContain(`X-Arkitect-Notification-ID: ${notification.id}`);
  expect(sink.messages[0]).toContain('Tasks wait');
  await sink.close();
});

test('no name of an alert adds a header', async () => {
  const sink = await startSmtpSink();
  const notification = aNotification();
  notification.content.group_labels = { alertname: 'x\r\nBcc: everybody@example.com' };
  await email(reach)(notification, specFor(sink.port), never);
  const [headers] = sink.messages[0]!.split('\r\n\r\n');
  expect(headers).toMatch(/^Subject: /m);
  expect(headers).not.toMatch(/^Bcc:/m);
  await sink.close();
});

test('a wrong password fails as auth, and is not told', async () => {
  const sink = await startSmtpSink({ user: { name: 'ops', password: 'pw' } });
  const sent = email(reach)(aNotification(), specFor(sink.port, { user: 'ops', password: 'canary' }), never);
  await expect(sent).rejects.toMatchObject({ reason: 'auth', message: expect.not.stringContaining('canary') as string });
  await sink.close();
});

test.each([
  [450, 'rate_limited', true],
  [550, 'client_error', false],
])('a server that answers %i fails as %s', async (refuse, reason, retryable) => {
  const sink = await startSmtpSink({ refuse });
  await expect(email(reach)(aNotification(), specFor(sink.port), never)).rejects.toMatchObject({ reason, options: { retryable } });
  await sink.close();
});

test('a server that is not there fails as refused', async () => {
  await expect(email(reach)(aNotification(), specFor(await freePort()), never)).rejects.toMatchObject({ reason: 'refused' });
});

test('an address that is not public is refused, by name too', async () => {
  const inside = { guard: new AddressGuard([]), lookup: async () => [{ address: '127.0.0.1', family: 4 }] };
  for (const host of ['127.0.0.1', 'mail.example']) {
    await expect(email(inside)(aNotification(), specFor(25, { host }), never)).rejects.toMatchObject({ reason: 'blocked' });
  }
});
