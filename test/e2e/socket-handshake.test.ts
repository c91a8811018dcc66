import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { ask, closeSockets, connectSocket, heard, openSocket, refusedSocket } from '../support/socket-client.js';
import { startTestServer, type TestServer } from '../support/server.js';

const transports = [['polling'], ['websocket']];
const nobody = { data: { code: 'UNAUTHENTICATED', status: 401 } };

let local: TestServer;
let open: TestServer;
let viewers: TestServer;

beforeAll(async () => {
  local = await startTestServer();
  open = await startTestServer({ HOST: '0.0.0.0', CORS_ORIGINS: 'https://app.example.com' });
  viewers = await startTestServer({ AUTH_ANONYMOUS_ROLE: 'viewer' });
});
afterEach(closeSockets);
afterAll(() => Promise.all([local, open, viewers].map((server) => server.close())));

test.each(transports)('the right token gets in over %s, on loopback and elsewhere', async (transport) => {
  for (const { url, token } of [local, open]) {
    const client = await connectSocket(`${url}/tasks`, { auth: { token }, transports: [transport] });
    expect(await ask(client, 'create', { name: 'by root' })).toMatchObject({ name: 'by root', created_by: 'root' });
  }
});

test.each(transports)('a wrong token is refused over %s, also where no token would have been enough', async (transport) => {
  for (const { url } of [local, open]) {
    const error = await refusedSocket(`${url}/tasks`, { auth: { token: 'wrong-wrong-wrong-wrong' }, transports: [transport] });
    expect(error).toMatchObject(nobody);
    expect(error.message).toContain('not known');
  }
});

test('without a token the local caller is an operator', async () => {
  const client = await connectSocket(`${local.url}/tasks`);
  expect(await ask(client, 'create', { name: 'anonymous' })).toMatchObject({ created_by: 'anonymous' });
});

test.each(transports)('without a token nobody gets into a server that listens beyond loopback, over %s', async (transport) => {
  const error = await refusedSocket(`${open.url}/tasks`, { transports: [transport] });
  expect(error).toMatchObject(nobody);
  expect(error.message).toContain('auth: { token');
});

test.each(transports)('a page of another origin is refused over %s, with a token or without', async (transport) => {
  const extraHeaders = { origin: 'https://evil.example.com' };
  for (const { url, token } of [local, open]) {
    for (const auth of [{}, { token }]) {
      const error = await refusedSocket(`${url}/tasks`, { auth, transports: [transport], extraHeaders });
      expect(error.message).toMatch(/xhr poll error|websocket error/);
    }
  }
  const { url, token } = open;
  await connectSocket(`${url}/tasks`, { auth: { token }, transports: [transport], extraHeaders: { origin: 'https://app.example.com' } });
});

test('a viewer reads and watches, and is told why it may not write', async () => {
  const client = await connectSocket(`${viewers.url}/tasks`);
  expect(await ask(client, 'list', {})).toEqual({ items: [], next_cursor: null });
  expect(await ask(client, 'subscribe', {})).toMatchObject({ reset: false });
  for (const [message, payload] of [
    ['create', { name: 'a' }],
    ['create_bulk', { tasks: [{ name: 'a' }] }],
    ['execute', { id: '0198f3c2-7d1e-7a55-9b5e-3f0c8a1d2e4b' }],
    ['delete', { id: '0198f3c2-7d1e-7a55-9b5e-3f0c8a1d2e4b' }],
  ] as const) {
    expect(await ask(client, message, payload)).toMatchObject({ error: { code: 'FORBIDDEN', detail: expect.stringContaining('viewer') } });
  }
  expect((await viewers.api('GET', '/tasks')).body.items).toEqual([]);
});

test('a client in another namespace, or in none, is told where to go', async () => {
  expect(await refusedSocket(local.url, { auth: { token: local.token } })).toMatchObject({ data: { code: 'NOT_FOUND' } });
  expect((await refusedSocket(`${local.url}/nothing`, { auth: { token: local.token } })).message).toBe('Invalid namespace');
});

test.each([['polling'], ['websocket'], ['upgraded']])(
  'a shutdown ends a client on %s promptly, and its connection is not kept',
  async (kind) => {
    const server = await startTestServer();
    try {
      const client = openSocket(`${server.url}/tasks`, { transports: kind === 'upgraded' ? ['polling', 'websocket'] : [kind] });
      const upgraded = kind === 'upgraded' ? new Promise((resolve) => client.io.engine.once('upgrade', resolve)) : undefined;
      await heard(client, 'connect');
      await upgraded;
      await ask(client, 'subscribe', {});
      const left = heard(client, 'disconnect');
      const begun = performance.now();
      await server.close();
      await left;
      // Far below the 20 s and more after which either side would have noticed by itself.
      expect(performance.now() - begun).toBeLessThan(5_000);
    } finally {
      await server.close();
    }
  },
);
