import { once } from 'node:events';
import { connect } from 'node:net';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { Body, Controller, Get, Global, Module, Post } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_PIPE, NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { IsString } from 'class-validator';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ADMIN_TOKEN } from '../auth/admin-token.js';
import { AuthGuard, Caller, Operation } from '../auth/auth.guard.js';
import { Authenticator } from '../auth/authenticator.js';
import type { Principal } from '../auth/principal.js';
import { CodedError } from '../errors/coded-error.js';
import { loadSettings, SETTINGS } from '../settings.js';
import { ErrorFilter } from './error.filter.js';
import { ErrorsController } from './errors.controller.js';
import { fastifyOptions, installFastify } from './fastify.js';
import { Id, InputPipe } from './input.pipe.js';
import { requestContext } from './request-context.js';

const token = 'a-root-token-for-tests';

class Thing {
  @IsString()
  name: string;
}

const thrown: Record<string, unknown> = {};

@Controller('things')
class ThingsController {
  @Post()
  @Operation('tasks.create')
  create(@Body() thing: Thing, @Caller() caller: Principal) {
    return { name: thing.name, by: caller.name, context: requestContext() };
  }

  @Post(':id/execute')
  @Operation('tasks.execute')
  execute(@Id() id: string) {
    return { id };
  }

  @Get('throw')
  @Operation('health.read')
  throw() {
    throw thrown.next;
  }

  @Get('unnamed')
  unnamed() {
    return {};
  }
}

const { settings } = loadSettings({ AUTH_ANONYMOUS_ROLE: 'viewer' }, '/nonexistent');

@Global()
@Module({
  controllers: [ThingsController, ErrorsController],
  providers: [
    Authenticator,
    { provide: SETTINGS, useValue: settings },
    { provide: ADMIN_TOKEN, useValue: { token } },
    { provide: APP_GUARD, useClass: AuthGuard },
    { provide: APP_PIPE, useClass: InputPipe },
    { provide: APP_FILTER, useClass: ErrorFilter },
  ],
})
class TestModule {}

let app: NestFastifyApplication;
let url: string;
let port: number;

beforeAll(async () => {
  const options = fastifyOptions();
  // The limits as they are, but a slow request is noticed sooner.
  const adapter = new FastifyAdapter({ ...options, http: { ...options.http, headersTimeout: 300, connectionsCheckingInterval: 50 } });
  installFastify(adapter.getInstance());
  app = await NestFactory.create<NestFastifyApplication>(TestModule, adapter, { bodyParser: false, logger: false });
  await app.listen(0, '127.0.0.1');
  url = await app.getUrl();
  port = Number(new URL(url).port);
});

afterAll(() => app.close());

const authorization = `Bearer ${token}`;

function post(path: string, body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) {
  return fetch(url + path, { method: 'POST', body, headers: { authorization, 'content-type': 'application/json', ...headers } });
}

async function problemOf(response: Response) {
  expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  const problem = (await response.json()) as Record<string, unknown>;
  expect(problem).toMatchObject({ type: `/docs/errors#${String(problem.code)}`, status: response.status });
  expect(problem.title).toEqual(expect.any(String));
  expect(problem.request_id).toBe(response.headers.get('x-request-id'));
  return problem;
}

/** Sends bytes as they are and gives the whole answer. */
async function raw(bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(bytes);
  let answer = '';
  socket.on('data', (chunk) => (answer += chunk.toString('utf8')));
  await once(socket, 'close');
  return answer;
}

function rawProblem(answer: string): { head: string; problem: Record<string, unknown> } {
  const [head = '', body = ''] = answer.split('\r\n\r\n', 2);
  expect(head).toMatch(/content-type: application\/problem\+json/i);
  expect(head).toMatch(/x-content-type-options: nosniff/i);
  const problem = JSON.parse(body) as Record<string, unknown>;
  expect(head).toContain(`HTTP/1.1 ${String(problem.status)} `);
  expect(problem.request_id).toEqual(expect.stringMatching(/./));
  return { head, problem };
}

test('a valid request reaches its handler with the caller and the request id', async () => {
  const response = await post('/things', '{"name":"a"}', { 'x-request-id': 'mine.1' });
  expect(response.status).toBe(201);
  expect(response.headers.get('x-request-id')).toBe('mine.1');
  const principal = { tenant_id: 'default', role: 'root', name: 'root' };
  const context = { request_id: 'mine.1', principal, audit: expect.objectContaining({ operation: 'tasks.create', recorded: false }) };
  expect(await response.json()).toEqual({ name: 'a', by: 'root', context });
});

test('a request id that could forge log lines is replaced', async () => {
  const response = await post('/things', '{"name":"a"}', { 'x-request-id': 'a b' });
  expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
});

test('an unknown path is a 404 that names method and path', async () => {
  const response = await fetch(`${url}/nothing?x=1`);
  expect(await problemOf(response)).toMatchObject({ code: 'NOT_FOUND', detail: expect.stringContaining('GET /nothing.') });
});

test('a known path with a wrong method is a 405 that lists the methods it takes', async () => {
  const response = await fetch(`${url}/things`, { method: 'DELETE' });
  expect(await problemOf(response)).toMatchObject({ code: 'METHOD_NOT_ALLOWED', status: 405 });
  expect(response.headers.get('allow')).toBe('POST');
  const deeper = await fetch(`${url}/things/0198f3c2-7d1e-7a55-9b5e-3f0c8a1d2e4b/execute?a=1`);
  expect(await problemOf(deeper)).toMatchObject({ code: 'METHOD_NOT_ALLOWED' });
  expect(await problemOf(await fetch(`${url}/things/`))).toMatchObject({ code: 'NOT_FOUND' });
  const emptyId = await fetch(`${url}/things//execute`, { method: 'POST' });
  expect(await problemOf(emptyId)).toMatchObject({ code: 'NOT_FOUND', detail: expect.stringContaining('POST /things//execute') });
});

test('a method that HTTP knows and this server does not is refused like any other', async () => {
  const { problem } = rawProblem(await raw('PROPFIND /things HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'));
  expect(problem).toMatchObject({ code: 'METHOD_NOT_ALLOWED', status: 405 });
});

test.each([
  ['{"name": }', /Unexpected token '}'/],
  ['{"name":"a",}', /position 12/],
  ['{"name":"a"', /position 11/],
])("a body that is not JSON is refused with the parser's reason: %s", async (body, reason) => {
  const problem = await problemOf(await post('/things', body));
  expect(problem).toMatchObject({ code: 'MALFORMED_REQUEST', status: 400, detail: expect.stringMatching(reason) });
});

test('a body that is not UTF-8 is refused', async () => {
  const problem = await problemOf(await post('/things', new Uint8Array([0x22, 0xff, 0x22])));
  expect(problem).toMatchObject({ code: 'MALFORMED_REQUEST', detail: expect.stringContaining('UTF-8') });
});

test('a byte order mark before the JSON does no harm', async () => {
  expect((await post('/things', '\uFEFF{"name":"a"}')).status).toBe(201);
});

test('an empty body with a JSON content type is a body without fields', async () => {
  expect((await post('/things/0198f3c2-7d1e-7a55-9b5e-3f0c8a1d2e4b/execute', '')).status).toBe(201);
  const problem = await problemOf(await post('/things', ''));
  expect(problem).toMatchObject({ code: 'VALIDATION_FAILED', errors: [{ field: 'name' }] });
});

test.each([
  ['{"__proto__":{"a":1},"name":"a"}', '__proto__'],
  ['{"name":{"constructor":{"prototype":{}}}}', 'name.constructor'],
  ['{"name":[{"__proto__":1}]}', 'name[0].__proto__'],
])('a prototype key is refused by its path: %s', async (body, field) => {
  const problem = await problemOf(await post('/things', body));
  expect(problem).toMatchObject({ code: 'VALIDATION_FAILED', errors: [{ field }] });
});

test('a body of 200,000 nested arrays is refused and does not exhaust the stack', async () => {
  const problem = await problemOf(await post('/things', `{"name":${'['.repeat(200_000)}${']'.repeat(200_000)}}`));
  expect(problem).toMatchObject({ code: 'VALIDATION_FAILED', detail: expect.stringContaining('nested too deeply') });
});

test('a body that is not an object is refused', async () => {
  for (const body of ['[]', 'null', '"a"', '1']) {
    expect(await problemOf(await post('/things', body))).toMatchObject({ code: 'VALIDATION_FAILED', errors: [{ field: 'body' }] });
  }
});

test('a body over 1 MiB is refused, announced or not', async () => {
  const large = JSON.stringify({ name: 'a'.repeat(1024 * 1024) });
  const announced = await problemOf(await post('/things', large));
  expect(announced).toMatchObject({ code: 'PAYLOAD_TOO_LARGE', status: 413, detail: expect.stringContaining('1 MiB') });
  const head = `POST /things HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${authorization}\r\nContent-Type: application/json\r\n`;
  const chunk = `${large.length.toString(16)}\r\n${large}\r\n`;
  const { problem } = rawProblem(await raw(`${head}Transfer-Encoding: chunked\r\n\r\n${chunk}0\r\n\r\n`));
  expect(problem).toMatchObject({ code: 'PAYLOAD_TOO_LARGE', status: 413 });
});

test.each(['text/plain', 'application/x-www-form-urlencoded', 'nonsense', 'application/xml'])(
  'a body of type %s is refused',
  async (type) => {
    const problem = await problemOf(await post('/things', 'name=a', { 'content-type': type }));
    expect(problem).toMatchObject({ code: 'UNSUPPORTED_MEDIA_TYPE', status: 415, detail: expect.stringContaining('application/json') });
  },
);

test('a path id that is no UUID is refused by name', async () => {
  const problem = await problemOf(await post('/things/1/execute', '{}'));
  expect(problem).toMatchObject({ code: 'VALIDATION_FAILED', errors: [{ field: 'id', message: expect.stringContaining('task id') }] });
});

test('a path that is not percent-encoding is refused', async () => {
  const problem = await problemOf(await fetch(`${url}/things/%zz/execute`, { method: 'POST' }));
  expect(problem).toMatchObject({ code: 'MALFORMED_REQUEST', status: 400 });
  expect(await problemOf(await fetch(`${url}/%c0%80`))).toMatchObject({ code: 'MALFORMED_REQUEST' });
  expect(await problemOf(await fetch(`${url}/things/%c0%80/execute`, { method: 'POST' }))).toMatchObject({ code: 'MALFORMED_REQUEST' });
});

test('a path id without end is refused', async () => {
  const problem = await problemOf(await post(`/things/${'a'.repeat(501)}/execute`, '{}'));
  expect(problem).toMatchObject({ code: 'MALFORMED_REQUEST', status: 414 });
});

test('a wrong token is refused although anonymous callers have a role, and the answer says how to authenticate', async () => {
  const wrong = await fetch(`${url}/things`, { method: 'POST', headers: { authorization: 'Bearer wrong' } });
  expect(await problemOf(wrong)).toMatchObject({ code: 'UNAUTHENTICATED', status: 401 });
  expect(wrong.headers.get('www-authenticate')).toMatch(/^Bearer /);
});

test('a role that does not suffice is told which operation it lacks', async () => {
  const response = await fetch(`${url}/things`, { method: 'POST' });
  const problem = await problemOf(response);
  expect(problem).toMatchObject({ code: 'FORBIDDEN', status: 403, detail: expect.stringMatching(/viewer.*tasks\.create/) });
});

test('a handler without an operation is closed even to root', async () => {
  const response = await fetch(`${url}/things/unnamed`, { headers: { authorization } });
  expect(await problemOf(response)).toMatchObject({ code: 'FORBIDDEN' });
});

test.each([
  ['a bug', new TypeError('secret internals'), 'INTERNAL', 500],
  ['a thrown string', 'secret internals', 'INTERNAL', 500],
  ['nothing thrown', undefined, 'INTERNAL', 500],
  ['a coded error', new CodedError('CONFLICT', 'The task runs.'), 'CONFLICT', 409],
  ['a statement timeout', Object.assign(new Error('secret internals'), { code: '57014', severity: 'ERROR' }), 'UNAVAILABLE', 503],
  ['too many connections', Object.assign(new Error('secret internals'), { code: '53300', severity: 'FATAL' }), 'UNAVAILABLE', 503],
  ['a refused connection', Object.assign(new Error('secret internals'), { code: 'ECONNREFUSED' }), 'UNAVAILABLE', 503],
  ['a cut connection', new Error('Connection terminated unexpectedly'), 'UNAVAILABLE', 503],
  [
    'text the database refuses',
    Object.assign(new Error('secret internals'), { code: '22021', severity: 'ERROR' }),
    'VALIDATION_FAILED',
    400,
  ],
  ['a broken constraint', Object.assign(new Error('secret internals'), { code: '23505', severity: 'ERROR' }), 'INTERNAL', 500],
])('%s: answered with its code and without internals', async (_name, error, code, status) => {
  thrown.next = error;
  const response = await fetch(`${url}/things/throw`);
  const problem = await problemOf(response);
  expect(problem).toMatchObject({ code, status });
  expect(JSON.stringify(problem)).not.toContain('secret internals');
  expect(response.headers.get('retry-after')).toBe(code === 'UNAVAILABLE' ? '1' : null);
});

test.each([
  ['bytes that are not HTTP', 'hello\r\n\r\n', 400, 'MALFORMED_REQUEST'],
  ['a method that HTTP does not know', 'FOO / HTTP/1.1\r\nHost: a\r\n\r\n', 400, 'MALFORMED_REQUEST'],
  ['a missing Host header', 'GET /things/throw HTTP/1.1\r\nConnection: close\r\n\r\n', 400, 'MALFORMED_REQUEST'],
  [
    'contradicting lengths',
    'POST /things HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
    400,
    'MALFORMED_REQUEST',
  ],
  ['an unknown expectation', 'GET /docs/errors HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n', 417, 'MALFORMED_REQUEST'],
  ['headers over 16 KiB', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(17_000)}\r\n\r\n`, 431, 'PAYLOAD_TOO_LARGE'],
  ['headers that never end', 'GET / HTTP/1.1\r\nHost: a\r\n', 408, 'MALFORMED_REQUEST'],
])('%s: answered with a problem before any handler', async (_name, bytes, status, code) => {
  expect(rawProblem(await raw(bytes)).problem).toMatchObject({ status, code });
});

test('a request that offers an upgrade to HTTP/2 is answered in HTTP/1.1', async () => {
  const answer = await raw('GET /docs/errors HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, close\r\nUpgrade: h2c\r\n\r\n');
  expect(answer).toMatch(/^HTTP\/1.1 200 /);
});

test('the type of a problem leads to a page that lists the code', async () => {
  const response = await fetch(`${url}/docs/errors`);
  expect(response.headers.get('content-type')).toMatch(/^text\/html/);
  expect(response.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
  expect(await response.text()).toContain('id="VALIDATION_FAILED"');
});

test('closing lets a running request finish, refuses the next one on its connection, and does not wait for idle ones', async () => {
  const adapter = new FastifyAdapter(fastifyOptions());
  const fastify = adapter.getInstance();
  installFastify(fastify);
  const entered = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  fastify.get('/slow', async () => {
    entered.resolve();
    await release.promise;
    return { done: true };
  });
  let onPreClose = () => {};
  fastify.addHook('preClose', async () => onPreClose());
  const own = await NestFactory.create<NestFastifyApplication>(TestModule, adapter, { bodyParser: false, logger: false });
  await own.listen(0, '127.0.0.1');
  const { port: ownPort } = new URL(await own.getUrl());

  await (await fetch(`http://127.0.0.1:${ownPort}/docs/errors`)).text();
  const socket = connect(Number(ownPort), '127.0.0.1');
  let answer = '';
  socket.on('data', (chunk) => (answer += chunk.toString('utf8')));
  socket.write('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n');
  await entered.promise;
  const preClosed = Promise.withResolvers<void>();
  onPreClose = preClosed.resolve;
  const closing = own.close();
  await preClosed.promise;
  // Pipelined behind the running request, and so read while the server closes.
  const arrived = once(fastify.server, 'request');
  socket.write('GET /docs/errors HTTP/1.1\r\nHost: a\r\n\r\n');
  await arrived;
  const released = performance.now();
  release.resolve();
  await Promise.all([closing, once(socket, 'close')]);
  expect(performance.now() - released).toBeLessThan(1_000);
  expect(answer).toContain('{"done":true}');
  expect(answer).toContain('HTTP/1.1 503 ');
  expect(answer).toContain('"code":"UNAVAILABLE"');
});

test('HEAD of an unknown path has the headers of its error and no body', async () => {
  const request = httpRequest(`${url}/nothing`, { method: 'HEAD' });
  request.end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  expect(response.statusCode).toBe(404);
  expect(response.headers['content-type']).toMatch(/problem\+json/);
  response.resume();
});
