import { Global, Module, UseFilters } from '@nestjs/common';
import { APP_GUARD, APP_PIPE, NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway, WebSocketServer } from '@nestjs/websockets';
import { IsString } from 'class-validator';
import type { Namespace, Socket as ServerSocket } from 'socket.io';
import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { ADMIN_TOKEN } from '../auth/admin-token.js';
import { AuthGuard, Caller, Operation } from '../auth/auth.guard.js';
import { Authenticator } from '../auth/authenticator.js';
import type { Principal } from '../auth/principal.js';
import { CodedError } from '../errors/coded-error.js';
import { loadSettings, SETTINGS } from '../settings.js';
import { ErrorFilter } from './error.filter.js';
import { fastifyOptions, installFastify } from './fastify.js';
import { InputPipe } from './input.pipe.js';
import { requestContext } from './request-context.js';
import { Connections } from './connections.js';
import { RequestObserver } from './request-observer.js';
import { AuthenticatedIoAdapter } from './socket-io.adapter.js';

const token = 'a-root-token-for-tests';

class Thing {
  @IsString()
  name: string;
}

@WebSocketGateway({ namespace: 'things' })
@UseFilters(ErrorFilter)
class ThingsGateway {
  @WebSocketServer()
  server: Namespace;

  @SubscribeMessage('create')
  @Operation('tasks.create')
  create(@MessageBody() thing: Thing, @Caller() caller: Principal, @ConnectedSocket() socket: ServerSocket) {
    return { name: thing.name, by: caller.name, connected: socket.connected, request_id: requestContext()?.request_id, event: 'create' };
  }

  @SubscribeMessage('list')
  @Operation('tasks.list')
  async list(@Caller() caller: Principal) {
    return { role: caller.role };
  }

  @SubscribeMessage('nothing')
  @Operation('tasks.list')
  nothing() {}

  @SubscribeMessage('bug')
  @Operation('tasks.list')
  bug() {
    throw new TypeError('secret internals');
  }

  @SubscribeMessage('conflict')
  @Operation('tasks.list')
  async conflict() {
    throw new CodedError('CONFLICT', 'The task runs.');
  }

  @SubscribeMessage('unnamed')
  unnamed() {
    return {};
  }
}

/** A second gateway on the same namespace, as two modules might have. */
@WebSocketGateway({ namespace: 'things' })
@UseFilters(ErrorFilter)
class MoreThingsGateway {
  @SubscribeMessage('more')
  @Operation('tasks.list')
  more() {
    return { more: true };
  }
}

const { settings } = loadSettings({ AUTH_ANONYMOUS_ROLE: '', CORS_ORIGINS: 'https://app.example.com' }, '/nonexistent');

@Global()
@Module({
  providers: [
    ThingsGateway,
    MoreThingsGateway,
    Authenticator,
    Connections,
    RequestObserver,
    { provide: SETTINGS, useValue: settings },
    { provide: ADMIN_TOKEN, useValue: { token } },
    { provide: APP_GUARD, useClass: AuthGuard },
    { provide: APP_PIPE, useClass: InputPipe },
  ],
})
class TestModule {}

async function start(): Promise<{ app: NestFastifyApplication; url: string }> {
  const adapter = new FastifyAdapter(fastifyOptions());
  installFastify(adapter.getInstance());
  const created = await NestFactory.create<NestFastifyApplication>(TestModule, adapter, { bodyParser: false, logger: false });
  created.useWebSocketAdapter(new AuthenticatedIoAdapter(created));
  await created.listen(0, '127.0.0.1');
  return { app: created, url: await created.getUrl() };
}

let app: NestFastifyApplication;
let url: string;
const clients: Socket[] = [];

beforeAll(async () => {
  ({ app, url } = await start());
});

afterEach(() => {
  for (const client of clients.splice(0)) client.disconnect();
});

afterAll(() => app.close());

function open(path: string, options: Partial<ManagerOptions & SocketOptions> = {}): Socket {
  const client = io(url + path, { forceNew: true, reconnection: false, ...options });
  clients.push(client);
  return client;
}

function connected(client: Socket): Promise<Socket> {
  return new Promise((resolve, reject) => {
    client.once('connect', () => resolve(client));
    client.once('connect_error', reject);
  });
}

function refused(client: Socket): Promise<Error & { data?: unknown }> {
  return new Promise((resolve, reject) => {
    client.once('connect', () => reject(new Error('The client was let in.')));
    client.once('connect_error', resolve);
  });
}

const things = (options?: Partial<ManagerOptions & SocketOptions>) => connected(open('/things', { auth: { token }, ...options }));

test.each([[['polling']], [['websocket']], [['polling', 'websocket']]])(
  'a message over %s is answered by its handler',
  async (transports) => {
    const client = await things({ transports });
    const answer = await client.timeout(5_000).emitWithAck('create', { name: 'a' });
    expect(answer).toEqual({ name: 'a', by: 'root', connected: true, request_id: expect.stringMatching(/./), event: 'create' });
  },
);

test('a polling connection upgrades to WebSocket', async () => {
  const client = open('/things', { auth: { token } });
  const upgraded = new Promise<string>((resolve) => client.io.engine.once('upgrade', ({ name }) => resolve(name)));
  await connected(client);
  expect(await upgraded).toBe('websocket');
});

test('a caller without a token is the local operator', async () => {
  const client = await connected(open('/things'));
  expect(await client.timeout(5_000).emitWithAck('list')).toEqual({ role: 'operator' });
});

test('the token of the Authorization header counts as well', async () => {
  const client = await connected(open('/things', { extraHeaders: { authorization: `Bearer ${token}` } }));
  expect(await client.timeout(5_000).emitWithAck('list')).toEqual({ role: 'root' });
});

test.each([{ token: 'wrong' }, { token: 7 }, { token: { a: 1 } }, { token: ['x'] }])(
  'the token of %o is refused with a sentence',
  async (auth) => {
    const error = await refused(open('/things', { auth }));
    expect(error.message).toContain('not known');
    expect(error.data).toMatchObject({ code: 'UNAUTHENTICATED', status: 401 });
  },
);

test('a caller behind a proxy is nobody and is told what to send', async () => {
  const error = await refused(open('/things', { extraHeaders: { 'x-forwarded-for': '203.0.113.9' } }));
  expect(error.message).toContain('auth: { token:');
});

test.each([['polling'], ['websocket']])('a page of another site may not connect over %s', async (transport) => {
  const extraHeaders = { origin: 'https://evil.example.com' };
  const error = await refused(open('/things', { auth: { token }, transports: [transport], extraHeaders }));
  expect(error.data).toBeUndefined();
  await connected(open('/things', { auth: { token }, transports: [transport], extraHeaders: { origin: 'https://app.example.com' } }));
  await connected(open('/things', { auth: { token }, transports: [transport], extraHeaders: { origin: url } }));
});

test('the root namespace is refused, and one that appears later is guarded too', async () => {
  expect((await refused(open('/', { auth: { token } }))).message).toContain('namespace');
  app.get(ThingsGateway).server.server.of('/later');
  expect((await refused(open('/later', { auth: { token: 'wrong' } }))).data).toMatchObject({ code: 'UNAUTHENTICATED' });
  await connected(open('/later', { auth: { token } }));
});

test.each([
  ['conflict', [{}], 'CONFLICT'],
  ['bug', [{}], 'INTERNAL'],
  ['unnamed', [{}], 'FORBIDDEN'],
  ['create', [], 'VALIDATION_FAILED'],
  ['create', [null], 'VALIDATION_FAILED'],
  ['create', ['text'], 'VALIDATION_FAILED'],
  ['create', [{ name: 'a' }, { name: 'b' }], 'VALIDATION_FAILED'],
  ['create', [{ name: 'a', extra: 1 }], 'VALIDATION_FAILED'],
  ['create', [Buffer.from('binary')], 'VALIDATION_FAILED'],
  ['create', [{ name: 'a', more: Buffer.from('binary') }], 'VALIDATION_FAILED'],
  ['create', [JSON.parse('{"__proto__":{"name":"a"}}')], 'VALIDATION_FAILED'],
  ['unknown', [{}], 'NOT_FOUND'],
  ['error', [{}], 'NOT_FOUND'],
  ['constructor', [{}], 'NOT_FOUND'],
  ['disconnected', [], 'NOT_FOUND'],
])('%s with %j is answered by an error in the ack', async (event, payload, code) => {
  const client = await things();
  const answer = await client.timeout(5_000).emitWithAck(event, ...payload);
  expect(answer).toEqual({ error: expect.objectContaining({ code, request_id: expect.any(String), detail: expect.any(String) }) });
  expect(JSON.stringify(answer)).not.toContain('secret internals');
});

test('a handler that returns nothing still answers its ack', async () => {
  const client = await things();
  expect(await client.timeout(5_000).emitWithAck('nothing')).toEqual({});
});

test('two gateways share a namespace', async () => {
  const client = await things();
  expect(await client.timeout(5_000).emitWithAck('more')).toEqual({ more: true });
  expect(await client.timeout(5_000).emitWithAck('list')).toEqual({ role: 'root' });
});

test.each(['bug', 'unknown'])('%s without an ack is reported as an exception, and the connection goes on', async (event) => {
  const client = await things();
  const exception = new Promise((resolve) => client.once('exception', resolve));
  client.emit(event, {});
  expect(await exception).toMatchObject({ error: { code: event === 'bug' ? 'INTERNAL' : 'NOT_FOUND' } });
  expect(await client.timeout(5_000).emitWithAck('list')).toEqual({ role: 'root' });
});

test('a message over 1 MiB ends its connection and no other', async () => {
  const other = await things();
  const client = await things({ transports: ['websocket'] });
  const left = new Promise((resolve) => client.once('disconnect', resolve));
  client.emit('create', { name: 'a'.repeat(1024 * 1024 + 1) });
  expect(await left).toMatch(/transport/);
  expect(await other.timeout(5_000).emitWithAck('list')).toEqual({ role: 'root' });
});

test('the answers of the polling transport carry the security headers', async () => {
  const response = await fetch(`${url}/socket.io/?EIO=4&transport=polling`);
  expect(response.status).toBe(200);
  expect(response.headers.get('x-content-type-options')).toBe('nosniff');
});

test('closing the server ends polling and WebSocket clients within a second', async () => {
  const own = await start();
  const leavers = await Promise.all(
    ['polling', 'websocket'].map((transport) => {
      const client = io(`${own.url}/things`, { forceNew: true, reconnection: false, auth: { token }, transports: [transport] });
      clients.push(client);
      return connected(client);
    }),
  );
  const left = Promise.all(leavers.map((client) => new Promise((resolve) => client.once('disconnect', resolve))));
  const begun = performance.now();
  await own.app.close();
  expect(performance.now() - begun).toBeLessThan(1_000);
  await left;
});
