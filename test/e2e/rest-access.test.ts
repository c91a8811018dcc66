import { randomUUIDv7 } from 'node:crypto';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectProblem } from '../support/problem.js';
import { call, startTestServer, type Answer, type TestServer } from '../support/server.js';

/** Needs no principal: probes, and what describes the API. */
const publicPaths = /^\/(health\/(live|ready|startup)|openapi\.json|docs(\/.*)?)$/;
const writes = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

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

/** Every route that the running server has, as the router itself lists them. */
function routesOf(server: TestServer): [method: string, path: string][] {
  const tree = (server.server.app.getHttpAdapter().getInstance() as { printRoutes(options: object): string }).printRoutes({
    commonPrefix: false,
  });
  const parents: string[] = [];
  return tree.split('\n').flatMap((line) => {
    const [, indent, segment, methods] = /^((?:│ {3}| {4})*)[├└]── (\S+)(?: \(([^)]*)\))?/.exec(line) ?? [];
    if (segment === undefined) return [];
    const depth = indent!.length / 4;
    parents.splice(depth);
    const path = parents.join('') + segment;
    parents.push(segment);
    return (methods ?? '')
      .split(', ')
      .filter(Boolean)
      .map((method): [string, string] => [method, path]);
  });
}

const concrete = (path: string) => path.replace(':id', randomUUIDv7()).replace(':version', '1').replace('*', 'swagger-ui.css');

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
  test('is nobody where the server listens on more than loopback, or AUTH_ANONYMOUS_ROLE is none: every route but the public ones refuses', async () => {
    for (const server of [everywhere, closed]) {
      const url = server.url.replace('localhost', '127.0.0.1');
      const refused: string[] = [];
      for (const [method, path] of routesOf(server)) {
        const response = await fetch(url + concrete(path), {
          method,
          ...(writes.has(method) && { body: '{}', headers: { 'content-type': 'application/json' } }),
        });
        const answer = { status: response.status, headers: response.headers, body: method === 'HEAD' ? undefined : await response.text() };
        if (publicPaths.test(path)) {
          expect([200, 404], `${method} ${path}`).toContain(answer.status);
        } else {
          refused.push(`${method} ${path}`);
          expect(answer.status, `${method} ${path}`).toBe(401);
          if (answer.body) expectNobody({ ...answer, body: JSON.parse(answer.body) });
        }
      }
      expect(refused).toEqual(
        expect.arrayContaining(['POST /tasks', 'GET /tasks', 'POST /tasks/bulk', 'DELETE /tasks/:id', 'GET /tasks/:id/events']),
      );
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

  test('reads everything but what is for admins, and writes nothing as viewer', async () => {
    const { body: task } = await viewers.api('POST', '/tasks', { name: 'a' });
    const silence = {
      matchers: [{ label: 'a', operator: '=', value: 'b' }],
      ends_at: new Date(Date.now() + 60_000).toISOString(),
      comment: 'c',
    };
    const silenceId = (await viewers.api('POST', '/alerts/silences', silence)).body.id as string;
    const rule = { name: 'a', spec: { metric: 'm', threshold: 1 } };
    await viewers.api('POST', '/config', { changes: { LOG_LEVEL: 'error' } });
    // By the beginning of their paths, longer ones first.
    const ids = new Map([
      ['/alerts/silences', silenceId],
      ['/api/v2/silence', silenceId],
      ['/alerts/rules', (await viewers.api('POST', '/alerts/rules', rule)).body.id as string],
      ['/alerts/channels', (await viewers.api('POST', '/alerts/channels', { name: 'a', kind: 'socket' })).body.id as string],
      ['/alerts', (await viewers.api('POST', '/alerts', { name: 'a' })).body.id as string],
    ]);
    const idOf = (path: string) => ids.get([...ids.keys()].find((prefix) => path.startsWith(prefix)) ?? '') ?? (task.id as string);
    for (const [method, path] of routesOf(viewers)) {
      // A stream has no end; metrics.test.ts reads it.
      if (method === 'HEAD' || path === '/metrics/realtime') continue;
      const answer = await call(
        viewers.url,
        method,
        path.replace(':id', idOf(path)).replace(':version', '1').replace('*', 'swagger-ui.css') +
          (path === '/metrics/history' ? '?metric=arkitect_tasks' : ''),
        writes.has(method) ? {} : undefined,
      );
      if (writes.has(method) || path.startsWith('/admin')) {
        expectProblem(answer, 'FORBIDDEN');
        expect(answer.body.detail).toContain('viewer');
      } else expect(publicPaths.test(path) ? [200, 404] : [200], `${method} ${path}`).toContain(answer.status);
    }
    expect((await viewers.api('GET', `/tasks/${task.id}`)).body).toEqual(task);
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
