import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { TaskFailure } from '../handler.js';
import { AddressGuard } from '../../outbound/address-guard.js';
import { exchange } from './exchange.js';
import { guardedConnect, type Lookup } from '../../outbound/guarded-connect.js';
import type { HttpRequest } from './redirect.js';

/** Paths the one server on loopback answers with a redirect to the given place. */
const redirects = new Map<string, string>();
const requested: string[] = [];
let headersSeen: Record<string, unknown> = {};
let port: number;

const listener: RequestListener = (request, response) => {
  requested.push(`${request.headers.host}${request.url}`);
  headersSeen = request.headers;
  const location = redirects.get(request.url ?? '');
  if (location) response.writeHead(302, { location });
  response.end(`at ${request.url}`);
};
const server = createServer(listener);
let connections = 0;
server.on('connection', () => connections++);

beforeAll(async () => {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  ({ port } = server.address() as AddressInfo);
});
beforeEach(() => {
  redirects.clear();
  requested.length = 0;
  connections = 0;
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
});

const toLoopback: Lookup = async () => [{ address: '127.0.0.1', family: 4 }];

interface Options {
  allow?: string[];
  lookup?: Lookup;
  headers?: Record<string, string>;
  follow?: number;
}

function get(url: string, { allow = [], lookup = toLoopback, headers = {}, follow = 5 }: Options = {}) {
  const request: HttpRequest = { url: new URL(url), method: 'GET', headers };
  const signal = AbortSignal.timeout(20_000);
  return exchange(request, { guard: new AddressGuard(allow), lookup, followRedirects: follow, maxResponseBytes: 1000, signal });
}

async function refusal(run: Promise<unknown>): Promise<TaskFailure> {
  const error = await run.then(
    () => expect.fail('it was not refused'),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(TaskFailure);
  return error as TaskFailure;
}

describe('an address that is not public is refused before anything is sent', () => {
  test.each([
    'http://127.0.0.1:PORT/',
    'http://127.1:PORT/',
    'http://2130706433:PORT/',
    'http://0x7f.1:PORT/',
    'http://0177.0.0.1:PORT/',
    'http://0x7f000001:PORT/',
    'http://0.0.0.0:PORT/',
    'http://0:PORT/',
    'http://127.0.0.1.:PORT/',
    'http://%31%32%37.0.0.1:PORT/',
    'http://\u2460\u2461\u2466.0.0.1:PORT/',
    'http://127\u30020.0.1:PORT/',
    'http://[::]:PORT/',
    'http://[::1]:PORT/',
    'http://[::ffff:127.0.0.1]:PORT/',
    'http://[::ffff:7f00:1]:PORT/',
    'http://[::127.0.0.1]:PORT/',
    'http://[64:ff9b::7f00:1]:PORT/',
    'http://[2002:7f00:1::]:PORT/',
    'http://[fd00::1]:PORT/',
    'http://[fe80::1]:PORT/',
    'http://169.254.169.254/latest/meta-data/',
    'http://10.0.0.1/',
    'http://192.168.0.1/',
    'http://100.64.0.1/',
    'https://127.0.0.1:PORT/',
    'http://localhost:PORT/',
    'http://localhost.:PORT/',
    'http://metadata.google.internal/',
  ])('%s', async (url) => {
    const error = await refusal(get(url.replace('PORT', String(port))));
    expect(error).toMatchObject({ code: 'ADDRESS_REFUSED', options: { retryable: false } });
    expect(error.message).toContain('HTTP_ALLOW_HOSTS');
    expect(connections).toBe(0);
  });
});

describe('host names', () => {
  test('are refused when one of several answers is private', async () => {
    const lookup: Lookup = async () => [
      { address: '8.8.8.8', family: 4 },
      { address: '127.0.0.1', family: 4 },
    ];
    expect((await refusal(get(`http://mixed.example:${port}/`, { lookup }))).code).toBe('ADDRESS_REFUSED');
    expect(connections).toBe(0);
  });

  test.each(['::ffff:127.0.0.1', '64:ff9b::7f00:1', 'fe80::1%eth0', 'not an address'])(
    'are refused when they resolve to %s',
    async (address) => {
      const lookup: Lookup = async () => [{ address, family: 6 }];
      expect((await refusal(get(`http://odd.example:${port}/`, { lookup }))).code).toBe('ADDRESS_REFUSED');
    },
  );

  test('are resolved once, and the connection goes to the answer that was checked', async () => {
    let asked = 0;
    // The second answer is what a rebinding attacker would want to be used.
    const lookup: Lookup = async () => [{ address: asked++ ? '169.254.169.254' : '127.0.0.1', family: 4 }];
    const response = await get(`http://rebind.example:${port}/x`, { lookup, allow: ['127.0.0.1'] });
    expect(String(response.body)).toBe('at /x');
    expect(asked).toBe(1);
  });

  test('that turn private between two hops are refused at the second', async () => {
    redirects.set('/first', `http://rebind.example:${port}/second`);
    let asked = 0;
    const lookup: Lookup = async () => [{ address: asked++ ? '127.0.0.2' : '127.0.0.1', family: 4 }];
    const error = await refusal(get(`http://rebind.example:${port}/first`, { lookup, allow: ['127.0.0.1'] }));
    expect(error.code).toBe('ADDRESS_REFUSED');
    expect(requested).toEqual([`rebind.example:${port}/first`]);
  });

  test('that HTTP_ALLOW_HOSTS names may be private', async () => {
    const response = await get(`http://hooks.internal:${port}/x`, { allow: ['hooks.internal'] });
    expect(String(response.body)).toBe('at /x');
    expect(requested).toEqual([`hooks.internal:${port}/x`]);
  });

  test('allowed at one port are refused at another', async () => {
    expect(String((await get(`http://h.internal:${port}/`, { allow: [`h.internal:${port}`] })).body)).toBe('at /');
    expect((await refusal(get('http://h.internal:1/', { allow: [`h.internal:${port}`] }))).code).toBe('ADDRESS_REFUSED');
  });
});

describe('redirects', () => {
  test('are followed, and the last response counts', async () => {
    redirects.set('/a', '/b').set('/b', `http://h.internal:${port}/c`);
    const response = await get(`http://127.0.0.1:${port}/a`, { allow: ['127.0.0.1'] });
    expect(String(response.body)).toBe('at /c');
    expect(String(response.url)).toBe(`http://h.internal:${port}/c`);
    expect(requested).toHaveLength(3);
  });

  test.each(['http://127.0.0.1:PORT/x', 'http://[::1]:PORT/x', 'http://2130706433:PORT/x', 'http://private.example:PORT/x'])(
    'to %s are refused when only the first host is allowed',
    async (location) => {
      redirects.set('/a', location.replace('PORT', String(port)));
      const error = await refusal(get(`http://h.internal:${port}/a`, { allow: ['h.internal'] }));
      expect(error.code).toBe('ADDRESS_REFUSED');
      expect(requested).toEqual([`h.internal:${port}/a`]);
    },
  );

  test.each(['file:///etc/passwd', 'gopher://127.0.0.1/', 'http://user:pass@127.0.0.1/', 'http://', 'javascript:alert(1)'])(
    'to %s are never followed',
    async (location) => {
      redirects.set('/a', location);
      const error = await refusal(get(`http://127.0.0.1:${port}/a`, { allow: ['127.0.0.1'] }));
      expect(error).toMatchObject({ code: 'REDIRECT_REFUSED', options: { retryable: false } });
    },
  );

  test('to another origin lose the credentials', async () => {
    redirects.set('/a', '/b').set('/b', `http://h.internal:${port}/c`);
    const headers = { authorization: 'Bearer x', cookie: 'a=b', accept: 'text/plain' };
    await get(`http://127.0.0.1:${port}/b`, { allow: ['127.0.0.1'], headers });
    expect(headersSeen).toMatchObject({ accept: 'text/plain' });
    expect(headersSeen).not.toHaveProperty('authorization');
    expect(headersSeen).not.toHaveProperty('cookie');
    redirects.delete('/b');
    await get(`http://127.0.0.1:${port}/a`, { allow: ['127.0.0.1'], headers });
    expect(headersSeen).toMatchObject(headers);
  });

  test('beyond the limit fail; at the limit they do not', async () => {
    redirects.set('/a', '/b').set('/b', '/c');
    const allow = ['127.0.0.1'];
    expect(String((await get(`http://127.0.0.1:${port}/a`, { allow, follow: 2 })).body)).toBe('at /c');
    const error = await refusal(get(`http://127.0.0.1:${port}/a`, { allow, follow: 1 }));
    expect(error).toMatchObject({ code: 'TOO_MANY_REDIRECTS', options: { retryable: false } });
  });

  test('are the response itself when none may be followed', async () => {
    redirects.set('/a', 'http://127.0.0.1:1/');
    const response = await get(`http://127.0.0.1:${port}/a`, { allow: ['127.0.0.1'], follow: 0 });
    expect(response).toMatchObject({ status: 302, headers: { location: 'http://127.0.0.1:1/' } });
  });
});

test('the peer of the open connection is checked too, so a literal cannot pass the lookup by', async () => {
  const connect = guardedConnect(new AddressGuard([]), toLoopback, AbortSignal.timeout(20_000));
  const socket = await new Promise<Socket | Error>((resolve) =>
    connect({ hostname: '127.0.0.1', protocol: 'http:', port: String(port) }, (...[error, connected]) => resolve(error ?? connected)),
  );
  expect(socket).toMatchObject({ code: 'ADDRESS_REFUSED' });
});
