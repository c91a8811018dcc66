import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectProblem } from '../support/problem.js';
import { startTestServer, type TestServer } from '../support/server.js';

let server: TestServer;
let cors: TestServer;
let id: string;
beforeAll(async () => {
  server = await startTestServer({ RUNNER_SLOTS: '0' });
  cors = await startTestServer({ RUNNER_SLOTS: '0', CORS_ORIGINS: 'https://app.example.com' });
  id = (await server.api('POST', '/tasks', { name: 'a' })).body.id;
});
afterAll(() => Promise.all([server.close(), cors.close()]));

const send = (method: string, path: string, headers: Record<string, string> = {}, at = server) =>
  fetch(at.url + path, { method, headers: { authorization: `Bearer ${at.token}`, ...headers } });

describe('probes', () => {
  test.each(['live', 'ready', 'startup'])('/health/%s says that all is well, and is not to be cached', async (probe) => {
    const { status, headers, body } = await server.api('GET', `/health/${probe}`);
    expect(status).toBe(200);
    expect(body.status).toMatch(/^(ok|degraded)$/);
    expect(headers.get('cache-control')).toBe('no-store');
  });

  test('readiness names the database, its migrations and the wake-ups', async () => {
    const { body } = await server.api('GET', '/health/ready');
    expect(body.details).toMatchObject({
      lifecycle: { status: 'up' },
      database: { status: 'up' },
      migrations: { status: 'up' },
      wake_ups: { status: 'up' },
    });
  });
});

describe('every answer', () => {
  const paths = () => [
    '/tasks',
    `/tasks/${id}`,
    '/tasks/nope',
    '/nope',
    '/health/live',
    '/openapi.json',
    '/docs',
    '/docs/errors',
    '/tasks?limit=x',
  ];

  test('carries the security headers', async () => {
    for (const path of paths()) {
      const { headers } = await send('GET', path);
      expect(headers.get('x-content-type-options'), path).toBe('nosniff');
      expect(headers.get('x-frame-options'), path).toBe('DENY');
      expect(headers.get('referrer-policy'), path).toBe('no-referrer');
      expect(headers.get('cross-origin-resource-policy'), path).toBe('same-origin');
      expect(headers.get('content-security-policy'), path).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
      expect(headers.has('x-powered-by'), path).toBe(false);
      expect(headers.has('server'), path).toBe(false);
      expect(headers.has('access-control-allow-origin'), path).toBe(false);
    }
  });

  test('carries a request id: the one that was sent when it is harmless, else a new one', async () => {
    for (const path of paths()) {
      expect((await send('GET', path, { 'x-request-id': 'My-id_1.2' })).headers.get('x-request-id')).toBe('My-id_1.2');
      const ids = new Set<string>();
      for (const harmful of ['a b', '<script>', 'x'.repeat(101), 'a"b', '', 'é'])
        ids.add((await send('GET', path, { 'x-request-id': harmful })).headers.get('x-request-id')!);
      expect(ids.size).toBe(6);
      for (const made of ids) expect(made).toMatch(/^[0-9a-f-]{36}$/);
    }
  });

  test('about a problem names the same id in its body', async () => {
    const answer = await server.api('GET', '/nope', undefined, { 'x-request-id': 'find-me' });
    expect(answer.body.request_id).toBe('find-me');
  });
});

describe('paths and methods', () => {
  test.each([
    '/',
    '/nope',
    '/task',
    '/tasks/',
    '/tasks//execute',
    '/Tasks',
    '/api/tasks',
    '/health',
    '/health/',
    '/../etc/passwd',
    '/%2e%2e/',
    '/tasks/bulk/',
    '/.env',
    '/favicon.ico',
  ])('%s is 404', async (path) => expectProblem(await server.api('GET', path), 'NOT_FOUND'));

  test('an action that does not exist is 404', async () => expectProblem(await server.api('POST', `/tasks/${id}/explode`), 'NOT_FOUND'));

  test.each([
    ['PUT', '/tasks', 'GET, HEAD, POST'],
    ['DELETE', '/tasks', 'GET, HEAD, POST'],
    ['PATCH', '/tasks', 'GET, HEAD, POST'],
    ['POST', '/tasks/:id', 'DELETE, GET, HEAD, PATCH, PUT'],
    ['GET', '/tasks/:id/execute', 'POST'],
    ['DELETE', '/tasks/:id/cancel', 'POST'],
    ['POST', '/tasks/:id/attempts', 'GET, HEAD'],
    ['POST', '/tasks/:id/events', 'GET, HEAD'],
    ['POST', '/health/live', 'GET, HEAD'],
    ['DELETE', '/openapi.json', 'GET, HEAD'],
    ['OPTIONS', '/tasks', 'GET, HEAD, POST'],
  ])('%s %s is 405 and says what is allowed', async (method, path, allow) => {
    const answer = await server.api(method, path.replace(':id', id));
    expectProblem(answer, 'METHOD_NOT_ALLOWED');
    expect(answer.headers.get('allow')).toBe(allow);
    expect(answer.body.detail).toContain(method);
  });

  test('broken percent-encoding is 400, a part of a path that is too long 414', async () => {
    expectProblem(await server.api('GET', '/tasks/%E0%A4%A'), 'MALFORMED_REQUEST');
    const long = await server.api('GET', `/tasks/${'x'.repeat(501)}`);
    expect(long).toMatchObject({ status: 414, body: { code: 'MALFORMED_REQUEST', status: 414 } });
  });

  test('headers above 16 KiB are 431', async () => {
    const answer = await server.api('GET', '/tasks', undefined, { 'x-filler': 'x'.repeat(17_000) });
    expect(answer).toMatchObject({ status: 431, body: { code: 'PAYLOAD_TOO_LARGE' } });
  });
});

test('HEAD answers as GET does, without the body', async () => {
  for (const path of [
    '/tasks',
    `/tasks/${id}`,
    `/tasks/${id}/attempts`,
    `/tasks/${id}/logs`,
    `/tasks/${id}/events`,
    '/health/live',
    '/openapi.json',
    '/tasks/nope',
    '/nope',
  ]) {
    const [head, get] = [await send('HEAD', path), await send('GET', path)];
    expect(head.status, path).toBe(get.status);
    expect(await head.text()).toBe('');
    for (const name of ['content-type', 'etag', 'cache-control'])
      expect(head.headers.get(name), `${path} ${name}`).toBe(get.headers.get(name));
  }
});

describe('other origins', () => {
  const preflight = (at: TestServer, origin: string) =>
    send(
      'OPTIONS',
      '/tasks',
      { origin, 'access-control-request-method': 'PATCH', 'access-control-request-headers': 'if-match,content-type' },
      at,
    );

  test('are not let in without CORS_ORIGINS', async () => {
    const answer = await preflight(server, 'https://app.example.com');
    expect(answer.headers.has('access-control-allow-origin')).toBe(false);
  });

  test('of CORS_ORIGINS may send what the API needs and read what it answers', async () => {
    const answer = await preflight(cors, 'https://app.example.com');
    expect(answer.status).toBe(204);
    expect(answer.headers.get('access-control-allow-origin')).toBe('https://app.example.com');
    expect(answer.headers.get('access-control-allow-methods')).toContain('PATCH');
    for (const name of ['authorization', 'content-type', 'if-match', 'idempotency-key', 'last-event-id', 'traceparent', 'tracestate']) {
      expect(answer.headers.get('access-control-allow-headers')).toContain(name);
    }
    expect(answer.headers.has('access-control-allow-credentials')).toBe(false);
    const read = await send('GET', '/tasks', { origin: 'https://app.example.com' }, cors);
    for (const name of ['etag', 'location', 'x-request-id', 'idempotency-replayed'])
      expect(read.headers.get('access-control-expose-headers')).toContain(name);
  });

  test('that are not of CORS_ORIGINS are not let in', async () => {
    for (const answer of [
      await preflight(cors, 'https://evil.example'),
      await send('GET', '/tasks', { origin: 'https://evil.example' }, cors),
    ]) {
      expect(answer.headers.get('access-control-allow-origin')).not.toBe('https://evil.example');
      expect(answer.headers.get('access-control-allow-origin')).not.toBe('*');
    }
  });
});
