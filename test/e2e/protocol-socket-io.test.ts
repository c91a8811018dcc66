import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { startEchoApp, token } from '../support/echo-app.js';
import { closeRawSockets, RawSocket } from '../support/raw-engine.js';

/*
 * The Socket.IO protocol, revision 5, spoken by hand to our adapter with two echoing namespaces.
 * The cases are those of the protocol's own test suite; where ours differ on purpose, the test says how.
 */

let app: NestFastifyApplication;
let url: string;

beforeAll(async () => {
  app = await startEchoApp();
  url = await app.getUrl();
});
afterEach(closeRawSockets);
afterAll(() => app.close());

async function opened(): Promise<RawSocket> {
  const socket = new RawSocket(url, 'EIO=4&transport=websocket');
  await socket.next();
  return socket;
}

const bytes = (...values: number[]) => Uint8Array.from(values);

test.each([
  ['without a payload', ''],
  ['with a token', `{"token":"${token}"}`],
  ['with a payload without a token', '{"other":1}'],
])('a namespace is connected to %s', async (_, payload) => {
  const socket = await opened();
  socket.send(`40/one,${payload}`);
  const answer = String(await socket.next());
  expect(answer).toMatch(/^40\/one,\{"sid":"[^"]+"\}$/);
  expect(await socket.next()).toBe('42/one,["welcome","/one"]');
});

test('a wrong token is answered by a connect error with the problem, and the connection goes on', async () => {
  const socket = await opened();
  socket.send('40/one,{"token":"wrong"}');
  const answer = String(await socket.next());
  expect(answer).toMatch(/^44\/one,/);
  expect(JSON.parse(answer.slice('44/one,'.length))).toMatchObject({
    message: expect.stringContaining('token'),
    data: { code: 'UNAUTHENTICATED', status: 401 },
  });
  socket.send(`40/one,{"token":"${token}"}`);
  expect(await socket.next()).toMatch(/^40\/one,\{"sid"/);
});

test('the main namespace is refused with a sentence, as nothing is in it', async () => {
  const socket = await opened();
  socket.send(`40{"token":"${token}"}`);
  const answer = String(await socket.next());
  expect(answer).toMatch(/^44\{/);
  expect(JSON.parse(answer.slice(2))).toMatchObject({ message: expect.stringContaining('/tasks'), data: { code: 'NOT_FOUND' } });
});

test('an unknown namespace is refused', async () => {
  const socket = await opened();
  socket.send('40/random,');
  expect(await socket.next()).toBe('44/random,{"message":"Invalid namespace"}');
});

test('a connection that connects to no namespace is closed', async () => {
  await (await opened()).closes();
});

test('a disconnect leaves one namespace and not the other', async () => {
  const socket = await RawSocket.in(url, '/one');
  socket.send('40/two,');
  expect(await socket.next()).toMatch(/^40\/two,\{"sid"/);
  expect(await socket.next()).toBe('42/two,["welcome","/two"]');
  socket.send('41/one,');
  // Ours now belongs to nobody; whoever left gets no answer.
  socket.send('42/one,["message","to one"]');
  socket.send('42/two,["message","to two"]');
  expect(await socket.next()).toBe('42/two,["message-back","to two"]');
  socket.send('40/one,');
  expect(await socket.next()).toMatch(/^40\/one,\{"sid"/);
});

test('two namespaces of one connection do not mix', async () => {
  const socket = await RawSocket.in(url, '/one');
  socket.send('40/two,');
  await socket.next();
  await socket.next();
  socket.send('42/one,1["message-with-ack","a"]');
  socket.send('42/two,1["message-with-ack","b"]');
  expect(new Set([await socket.next(), await socket.next()])).toEqual(new Set(['43/one,1["a"]', '43/two,1["b"]']));
});

test('an event with several arguments is echoed', async () => {
  const socket = await RawSocket.in(url, '/one');
  socket.send('42/one,["message",1,"2",{"3":[true]}]');
  expect(await socket.next()).toBe('42/one,["message-back",1,"2",{"3":[true]}]');
});

test('an event with an ack is acknowledged under its number', async () => {
  const socket = await RawSocket.in(url, '/one');
  socket.send('42/one,456["message-with-ack",1,"2",{"3":[false]}]');
  expect(await socket.next()).toBe('43/one,456[1,"2",{"3":[false]}]');
  socket.send('42/one,0["message-with-ack","again"]');
  expect(await socket.next()).toBe('43/one,0["again"]');
});

test('a binary event is echoed with its attachments', async () => {
  const socket = await RawSocket.in(url, '/one');
  socket.send('452-/one,["message",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]');
  socket.send(bytes(1, 2, 3));
  socket.send(bytes(4, 5, 6));
  expect(await socket.next()).toBe('452-/one,["message-back",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]');
  expect(await socket.next()).toEqual(Buffer.from([1, 2, 3]));
  expect(await socket.next()).toEqual(Buffer.from([4, 5, 6]));
});

test('a binary event with an ack is acknowledged with its attachments', async () => {
  const socket = await RawSocket.in(url, '/one');
  socket.send('451-/one,789["message-with-ack",{"_placeholder":true,"num":0}]');
  socket.send(bytes(7, 8));
  expect(await socket.next()).toBe('461-/one,789[{"_placeholder":true,"num":0}]');
  expect(await socket.next()).toEqual(Buffer.from([7, 8]));
});

test('an unknown event with an ack is acknowledged with an error', async () => {
  const socket = await RawSocket.in(url, '/one');
  socket.send('42/one,5["nothing",{}]');
  const answer = String(await socket.next());
  expect(answer).toMatch(/^43\/one,5\[/);
  expect(JSON.parse(answer.slice('43/one,5'.length))).toMatchObject([
    { error: { code: 'NOT_FOUND', detail: expect.stringContaining('message-with-ack') } },
  ]);
});

test('an ack that nobody asked for is let pass', async () => {
  const socket = await RawSocket.in(url, '/one');
  socket.send('43/one,99["surprise"]');
  socket.send('42/one,1["message-with-ack","alive"]');
  expect(await socket.next()).toBe('43/one,1["alive"]');
});

test.each([
  ['an unknown packet type', ['4abc']],
  ['a packet type beyond the last', ['49/one,["message"]']],
  ['malformed JSON', ['42/one,["message",']],
  ['an event that is no list', ['42/one,{}']],
  ['an event with nothing in it', ['42/one,[]']],
  ['an event whose name is no name', ['42/one,[{"a":1}]']],
  ['an ack number that is none', ['42/one,abc["message"]']],
  ['a reserved event name', ['42/one,["disconnecting"]']],
  ['a disconnect with a payload', ['41/one,["x"]']],
  ['more attachments than announced', ['451-/one,["message",{"_placeholder":true,"num":0}]', bytes(1), bytes(2)]],
  [
    'fewer attachments than announced',
    ['452-/one,["message",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]', bytes(1), '42/one,["message"]'],
  ],
  ['a placeholder that points nowhere', ['451-/one,["message",{"_placeholder":true,"num":5}]', bytes(1)]],
  ['an attachment without an event', [bytes(1, 2, 3)]],
  ['more attachments than anybody needs', ['41000000-/one,["message"]', '451000000-/one,["message"]']],
])('%s closes the connection, and no other', async (_, frames) => {
  const [socket, other] = [await RawSocket.in(url, '/one'), await RawSocket.in(url, '/one')];
  for (const frame of frames) socket.send(frame);
  await socket.closes();
  other.send('42/one,1["message-with-ack","alive"]');
  expect(await other.next()).toBe('43/one,1["alive"]');
});

test.each([
  ['an event', '42/one,["message"]'],
  ['something unreadable', '4abc'],
])('%s before the connect closes the connection', async (_, frame) => {
  const socket = await opened();
  socket.send(frame);
  await socket.closes();
});
