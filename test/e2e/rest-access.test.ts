import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectProblem } from '../support/problem.js';
import { routesOf } from '../support/routes.js';
import { call, startTestServer, type Answer, type TestServer } from '../support/server.js';

let open: TestServer;
let everywhere: TestServer;
let closed: TestServer;
let viewers: TestServer;
beforeAll(async () => {
  const start = (overrides: Parameters<typeof startTestServer>[0]) => startTestServer({ RUNNER_SLOTS: '0', ...overrides });
  open = await start({ CORS_ORIGINS: 'https://app.example.com' });
  everywhere = await start({ HOST: '0.0.0.0' });
  closed = await start({ AUTH_ANONYMOUS_ROLE: 'none' });
  viewers = await start({ AUTH_ANONYMOUS_ROLE: 'viewer' });
});
afterAll(() => Promise.all([open, everywhere, closed, viewers].map((server) => server.close())));

/** fetch sets Host by itself and sends no other. */
async function withHost(server: TestServer, host: string, headers: Record<string, string> = {}): Promise<{ status: number }> {
  const sent = request(`${server.url}/tasks`, { headers: { host, ...headers } }).end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  response.resume();
  await once(response, 'end');
  return { status: response.statusCode! };
}

function expectNobody(answer: Answer): void {
  expectProblem(answer, 'UNAUTHENTICATED');
  expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
}

const root = (server: TestServer) => ({ authorization: `Bearer ${server.token}` });

test('the router is walked whole: it knows every route of the OpenAPI document', async () => {
  const routes = routesOf(closed).map(([method, path]) => `${method} ${path}`);
  const { body } = await call(closed.url, 'GET', '/openapi.json');
  const documented = Object.entries(body.paths as Record<string, object>).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ':$1')}`),
  );
  expect(documented.length).toBeGreaterThanOrEqual(15);
  expect(documented.filter((route) => !routes.includes(route))).toEqual([]);
  // And nothing is served that the document does not tell of, beside itself, its pages, and what Alertmanager's own document tells of.
  const hidden = routes.filter((route) => !documented.includes(route.replace('HEAD ', 'GET ')));
  expect(hidden.filter((route) => !/^((GET|HEAD) \/(docs|openapi\.json)|[A-Z]+ \/api\/v2\/)/.test(route))).toEqual([]);
});

describe('a caller without a token', () => {
  test('is nobody where the server listens on more than loopback, or AUTH_ANONYMOUS_ROLE is none', async () => {
    for (const server of [everywhere, closed]) {
      const url = server.url.replace('localhost', '127.0.0.1');
      expectNobody(await call(url, 'GET', '/tasks'));
      expectNobody(await call(url, 'POST', '/tasks', { name: 'a' }));
    }
  });

  test('is told nothing about tasks and input before that', async () => {
    expectNobody(await call(closed.url, 'POST', '/tasks', { name: '' }));
    expectNobody(await call(closed.url, 'GET', '/tasks/not-an-id'));
    expectNobody(await call(closed.url, 'GET', '/tasks?limit=x'));
  });

  test('creates tasks as operator while the server listens on loopback alone', async () => {
    const { status, body } = await call(open.url, 'POST', '/tasks', { name: 'a' });
    expect(status).toBe(201);
    expect(body).toMatchObject({ created_by: 'anonymous', tenant_id: 'default' });
  });
});

describe('behind a page or a proxy, a caller without a token is nobody although the server listens on loopback', () => {
  test.each([
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { origin: 'http://localhost:1' },
    { origin: 'https://app.example.com.evil.example' },
    { 'x-forwarded-for': '127.0.0.1' },
    { 'x-real-ip': '127.0.0.1' },
    { forwarded: 'for=127.0.0.1' },
    { via: '1.1 proxy' },
  ] as Record<string, string>[])('%j', async (headers) => {
    expectNobody(await call(open.url, 'GET', '/tasks', undefined, headers));
    expectNobody(await call(open.url, 'POST', '/tasks', { name: 'a' }, headers));
    // A token is enough wherever it comes from.
    expect((await call(open.url, 'GET', '/tasks', undefined, { ...headers, ...root(open) })).status).toBe(200);
  });

  test('a Host header that names another machine, as a page sends it that rebinds its name to us', async () => {
    const { port } = new URL(open.url);
    for (const host of ['evil.example', `evil.example:${port}`, '127.0.0.1.evil.example', 'localhost.evil.example', '10.0.0.1']) {
      expect(await withHost(open, host), host).toEqual({ status: 401 });
      expect(await withHost(open, host, root(open)), host).toEqual({ status: 200 });
    }
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, 'localhost', '127.0.0.2', `[::1]:${port}`])
      expect(await withHost(open, host), host).toEqual({ status: 200 });
  });

  test('pages of this server, and of CORS_ORIGINS, are not foreign', async () => {
    for (const origin of [open.url, 'https://app.example.com'])
      expect((await call(open.url, 'GET', '/tasks', undefined, { origin })).status).toBe(200);
  });
});

describe('a token', () => {
  test('is taken as RFC 6750 writes it', async () => {
    for (const authorization of [`Bearer ${closed.token}`, `bearer ${closed.token}`, `BEARER   ${closed.token}`]) {
      expect((await call(closed.url, 'GET', '/tasks', undefined, { authorization })).status).toBe(200);
    }
  });

  test('that is wrong is refused, also where none would have been enough', async () => {
    const { token } = open;
    const wrong = [
      `Bearer ${token}x`,
      `Bearer ${token.slice(0, -1)}`,
      `Bearer ${token.toUpperCase()}`,
      'Bearer x',
      'Bearer',
      'Bearer ',
      token,
      `Basic ${btoa(`root:${token}`)}`,
      `Bearer ${token} ${token}`,
      '',
    ];
    for (const server of [open, closed, viewers]) {
      for (const authorization of wrong) expectNobody(await call(server.url, 'GET', '/tasks', undefined, { authorization }));
    }
  });

  test('of another server is refused', async () => expectNobody(await call(closed.url, 'GET', '/tasks', undefined, root(open))));

  test('in the query or the body is not one', async () => {
    expectNobody(await call(closed.url, 'GET', `/tasks?token=${closed.token}&access_token=${closed.token}`));
    expectNobody(await call(closed.url, 'POST', '/tasks', { name: 'a', token: closed.token }));
  });

  test('that is wrong does not close the public routes', async () => {
    for (const path of ['/health/live', '/health/ready', '/health/startup', '/openapi.json', '/docs', '/docs/errors']) {
      expect((await call(closed.url, 'GET', path, undefined, { authorization: 'Bearer wrong' })).status, path).toBe(200);
    }
  });

  test('is not repeated in any answer', async () => {
    for (const path of ['/tasks', '/health/ready', '/openapi.json', '/nope', '/tasks?limit=x']) {
      const answer = await closed.api('GET', path);
      expect(JSON.stringify([answer.body, [...answer.headers]])).not.toContain(closed.token);
    }
  });
});
