import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { startEchoApp, tuning } from '../support/echo-app.js';
import { closeRawSockets, openPolling, poll, RawSocket } from '../support/raw-engine.js';
import { startTestServer, type TestServer } from '../support/server.js';

/*
 * Engine.IO, protocol revision 4, spoken by hand: against the whole server where its real intervals do not matter,
 * and against the same adapter with short ones where they do. The cases are those of the protocol's own test suite and ours.
 */

let server: TestServer;
let app: NestFastifyApplication;
let url: string;
let quick: string;

beforeAll(async () => {
  server = await startTestServer();
  app = await startEchoApp();
  url = server.url;
  quick = await app.getUrl();
});
afterEach(closeRawSockets);
afterAll(async () => {
  await app.close();
  await server.close();
});

/** A polling session that is connected to a namespace: the query of its later requests. */
async function pollingIn(base: string, connect: string): Promise<string> {
  const { query } = await openPolling(base);
  await poll(base, query, connect);
  let received = '';
  while (!received.includes('welcome')) received += (await poll(base, query)).text;
  return query;
}

const offer = { sid: expect.stringMatching(/./), pingInterval: 25_000, pingTimeout: 20_000, maxPayload: 1024 * 1024 };

test('polling opens a session and offers the upgrade', async () => {
  const { status, text } = await poll(url, 'EIO=4&transport=polling');
  expect(status).toBe(200);
  expect(text[0]).toBe('0');
  expect(JSON.parse(text.slice(1))).toEqual({ ...offer, upgrades: ['websocket'] });
});

test('WebSocket opens a session', async () => {
  const first = String(await new RawSocket(url, 'EIO=4&transport=websocket').next());
  expect(first[0]).toBe('0');
  expect(JSON.parse(first.slice(1))).toEqual({ ...offer, upgrades: [] });
});

test.each([
  ['no version', 'transport=polling'],
  ['an unreadable version', 'EIO=abc&transport=polling'],
  ['an older version', 'EIO=3&transport=polling'],
  ['no transport', 'EIO=4'],
  ['an unknown transport', 'EIO=4&transport=abc'],
  ['a transport named as a property of every object', 'EIO=4&transport=constructor'],
  ['an unknown session', 'EIO=4&transport=polling&sid=nobody'],
  ['a session named as a property of every object', 'EIO=4&transport=polling&sid=__proto__'],
])('a handshake with %s is refused on both transports', async (_, query) => {
  expect((await poll(url, query)).status).toBe(400);
  const socket = new RawSocket(url, query.replace('polling', 'websocket'));
  await socket.closes();
  await expect(socket.next()).rejects.toThrow('closed');
});

test.each(['POST', 'PUT', 'DELETE'])('a handshake by %s is refused', async (method) => {
  expect((await poll(url, 'EIO=4&transport=polling', undefined, method)).status).toBe(400);
});

test('pings over polling come at their interval, and each pong keeps the session', async () => {
  const query = await pollingIn(quick, '40/one,');
  for (let round = 0; round < 5; round++) {
    expect(await poll(quick, query)).toEqual({ status: 200, text: '2' });
    expect(await poll(quick, query, '3')).toEqual({ status: 200, text: 'ok' });
  }
});

test('pings over WebSocket come at their interval, and each pong keeps the session', async () => {
  const socket = await RawSocket.in(quick, '/one');
  await socket.pinged(5);
  expect(socket.closed).toBe(false);
});

test('a polling session whose pings stay unanswered is over', async () => {
  const query = await pollingIn(quick, '40/one,');
  const begun = performance.now();
  expect((await poll(quick, query)).text).toBe('2');
  // The next poll waits for the end of the session.
  const { status, text } = await poll(quick, query);
  expect(performance.now() - begun).toBeGreaterThan(tuning.pingInterval);
  expect([200, 400]).toContain(status);
  expect(text).not.toContain('2');
  expect((await poll(quick, query)).status).toBe(400);
});

test('a WebSocket whose pings stay unanswered is closed', async () => {
  const socket = await RawSocket.in(quick, '/one', '', false);
  await socket.closes();
  expect(socket.pings).toBe(1);
});

test('a close packet ends a polling session: the open poll returns, and later ones are refused', async () => {
  const { query } = await openPolling(url);
  const [open, closing] = await Promise.all([poll(url, query), poll(url, query, '1')]);
  expect(open).toEqual({ status: 200, text: '6' });
  expect(closing.status).toBe(200);
  expect((await poll(url, query)).status).toBe(400);
});

test('a close packet ends a WebSocket', async () => {
  // Here nothing else would end it: neither the connect timeout, nor a ping that stays unanswered.
  const socket = await RawSocket.in(quick, '/one');
  socket.send('1');
  await socket.closes();
});

test('a session moves from polling to WebSocket, and its polling is over then', async () => {
  const { query, handshake } = await openPolling(url);
  await poll(url, query, `40/tasks,{"token":"${server.token}"}`);
  expect((await poll(url, query)).text).toMatch(/^40\/tasks,\{"sid":/);

  const socket = new RawSocket(url, `EIO=4&transport=websocket&sid=${String(handshake.sid)}`);
  await socket.opens();
  socket.send('2probe');
  expect(await socket.next()).toBe('3probe');
  expect(await poll(url, query)).toEqual({ status: 200, text: '6' });
  socket.send('5');
  socket.send('42/tasks,7["list",{}]');
  expect(await socket.next()).toBe('43/tasks,7[{"items":[],"next_cursor":null}]');

  expect((await poll(url, query)).status).toBe(400);
  const second = new RawSocket(url, `EIO=4&transport=websocket&sid=${String(handshake.sid)}`);
  await second.closes();
  socket.send('42/tasks,8["list",{}]');
  expect(await socket.next()).toMatch(/^43\/tasks,8/);
});

test('a probe that is not one does not take the session over', async () => {
  const { query, handshake } = await openPolling(url);
  const socket = new RawSocket(url, `EIO=4&transport=websocket&sid=${String(handshake.sid)}`);
  await socket.opens();
  socket.send('4hello');
  await socket.closes();
  await poll(url, query, `40/tasks,{"token":"${server.token}"}`);
  expect((await poll(url, query)).text).toMatch(/^40\/tasks,\{"sid":/);
});

test('several packets in one polling body are taken in their order', async () => {
  const query = await pollingIn(quick, '40/one,');
  await poll(
    quick,
    query,
    ['42/one,1["message-with-ack","a"]', '42/one,2["message-with-ack","b"]', '42/one,["message","c"]'].join('\u001e'),
  );
  let received = '';
  while (!received.includes('"c"')) {
    const { status, text } = await poll(quick, query);
    expect(status).toBe(200);
    received += `${text}\u001e`;
  }
  expect(received.split('\u001e').filter((packet) => packet.startsWith('4'))).toEqual([
    '43/one,1["a"]',
    '43/one,2["b"]',
    '42/one,["message-back","c"]',
  ]);
});

test('a body that is no packet ends its polling session and no other', async () => {
  const [{ query }, other] = [await openPolling(url), await openPolling(url)];
  await poll(url, query, 'abc').catch(() => undefined);
  expect((await poll(url, query)).status).toBe(400);
  expect((await poll(url, other.query, `40/tasks,{"token":"${server.token}"}`)).status).toBe(200);
});

test('a frame that is no packet ends its WebSocket', async () => {
  const socket = new RawSocket(url, 'EIO=4&transport=websocket');
  await socket.next();
  socket.send('abc');
  await socket.closes();
});

test('two polls at once end the session', async () => {
  const { query } = await openPolling(url);
  const answers = await Promise.all([poll(url, query), poll(url, query)]);
  expect(Math.max(...answers.map(({ status }) => status))).toBeGreaterThanOrEqual(400);
  expect((await poll(url, query)).status).toBe(400);
});

const mebibyte = 1024 * 1024;

test.each([
  [mebibyte - 100, true],
  [mebibyte + 1, false],
])('a polling body of %i bytes is accepted: %s', async (bytes, accepted) => {
  const { query } = await openPolling(url);
  const packet = `40/tasks,${JSON.stringify({ token: server.token, filler: '' })}`;
  const body = packet.replace('"filler":""', `"filler":"${'a'.repeat(bytes - packet.length)}"`);
  const answer = await poll(url, query, body).catch(() => undefined);
  if (accepted) {
    expect(answer).toEqual({ status: 200, text: 'ok' });
    expect((await poll(url, query)).text).toMatch(/^40\/tasks,\{"sid"/);
  } else {
    expect(answer?.status ?? 413).toBe(413);
  }
});

test.each([
  [mebibyte, true],
  [mebibyte + 1, false],
])('a WebSocket frame of %i bytes is accepted: %s', async (bytes, accepted) => {
  const socket = new RawSocket(url, 'EIO=4&transport=websocket');
  await socket.next();
  const packet = `40/tasks,${JSON.stringify({ token: server.token, filler: '' })}`;
  socket.send(packet.replace('"filler":""', `"filler":"${'a'.repeat(bytes - packet.length)}"`));
  if (accepted) expect(await socket.next()).toMatch(/^40\/tasks,\{"sid"/);
  else await socket.closes();
});
