import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { JsonObject } from '../../tasks/task.js';
import { TaskFailure, type HandlerContext } from '../handler.js';
import { readParameters } from '../handlers.js';
import type { Lookup } from '../../outbound/guarded-connect.js';
import { httpRequest } from './http-request.js';
import type { HttpRequestParameters } from './parameters.js';

const loopback = ['127.0.0.1'];
const servers: { close(): void; closeAllConnections?(): void }[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections?.();
  }
});

interface Seen {
  method: string | undefined;
  url: string | undefined;
  headers: IncomingMessage['headers'];
  body: string;
}

/** A server on loopback that keeps what it was sent. */
async function serve(listener: RequestListener): Promise<{ url: string; port: number; seen: Seen[]; server: Server }> {
  const seen: Seen[] = [];
  const server = createServer({ keepAlive: false }, (request, response) => {
    const entry = { method: request.method, url: request.url, headers: request.headers, body: '' };
    seen.push(entry);
    request.on('data', (chunk) => (entry.body += String(chunk)));
    request.on('end', () => listener(request, response));
  });
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, port, seen, server };
}

interface Start {
  allowHosts?: string[];
  lookup?: Lookup;
  signal?: AbortSignal;
  log?: HandlerContext['log'];
  trace?: HandlerContext['trace'];
}

function send(
  parameters: JsonObject,
  { allowHosts = loopback, lookup, signal = new AbortController().signal, log = () => {}, trace }: Start = {},
) {
  const handler = httpRequest({ allowHosts, ...(lookup && { lookup }) });
  const task = { id: 'task-7', attempt: 3, parameters: readParameters(handler, parameters) };
  return handler.run({
    task,
    signal,
    log,
    trace,
    progress() {},
  } as unknown as HandlerContext<HttpRequestParameters>) as Promise<JsonObject>;
}

async function failure(run: Promise<unknown>): Promise<TaskFailure> {
  const error = await run.then(
    (result) => expect.fail(`completed with ${JSON.stringify(result)}`),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(TaskFailure);
  return error as TaskFailure;
}

describe('a request', () => {
  test('carries its method, headers and JSON body, and gives back status, headers and body', async () => {
    const { url, seen } = await serve((_, response) => {
      response.writeHead(201, { 'content-type': 'application/json', etag: '"1"', 'x-secret': 'no' }).end('{"id":1}');
    });
    const result = await send({ url: `${url}/a?b=c#d`, method: 'POST', headers: { 'X-Mine': 'caf\u00e9' }, body: { n: 1 } });
    expect(result).toEqual({ status: 201, headers: { 'content-type': 'application/json', etag: '"1"' }, body: { id: 1 } });
    expect(seen).toMatchObject([
      {
        method: 'POST',
        url: '/a?b=c',
        body: '{"n":1}',
        headers: {
          'content-type': 'application/json',
          'user-agent': 'arkitect-orchestrator',
          'accept-encoding': 'identity',
          'idempotency-key': 'task-7',
          'arkitect-attempt': '3',
          'x-mine': 'caf\u00e9',
        },
      },
    ]);
  });

  test('lets the caller choose user-agent, content type and idempotency key', async () => {
    const { url, seen } = await serve((_, response) => void response.end());
    const headers = { 'User-Agent': 'mine', 'Content-Type': 'application/xml', 'Idempotency-Key': 'k' };
    await send({ url, method: 'PUT', headers, body: '<a/>' });
    expect(seen[0]).toMatchObject({
      body: '<a/>',
      headers: { 'user-agent': 'mine', 'content-type': 'application/xml', 'idempotency-key': 'k' },
    });
  });

  test("carries the trace of its attempt, or the caller's own without mixing the two", async () => {
    const { url, seen } = await serve((_, response) => void response.end());
    const trace = { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', tracestate: 'a=1' };
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    await send({ url }, { trace });
    await send({ url, headers: { TraceParent: traceparent } }, { trace });
    expect(seen.map(({ headers }) => [headers.traceparent, headers.tracestate])).toEqual([
      [trace.traceparent, trace.tracestate],
      [traceparent, undefined],
    ]);
  });

  test('by HEAD has no body, whatever length is announced', async () => {
    const { url } = await serve((_, response) => void response.writeHead(200, { 'content-length': '99999999' }).end());
    expect(await send({ url, method: 'HEAD' })).toEqual({ status: 200, headers: { 'content-length': '99999999' }, body: null });
  });

  test('answered 204 has no body', async () => {
    const { url } = await serve((_, response) => void response.writeHead(204).end());
    expect(await send({ url, method: 'DELETE' })).toEqual({ status: 204, headers: {}, body: null });
  });

  test('answered with binary data gives base64', async () => {
    const { url } = await serve((_, response) => void response.end(Buffer.from([0, 255, 1])));
    expect(await send({ url })).toMatchObject({ body: { base64: 'AP8B' } });
  });

  test('ignores the proxies of the environment', async () => {
    const { url } = await serve((_, response) => void response.end('direct'));
    vi.stubEnv('HTTP_PROXY', 'http://127.0.0.1:9');
    vi.stubEnv('http_proxy', 'http://127.0.0.1:9');
    try {
      expect(await send({ url })).toMatchObject({ body: 'direct' });
    } finally {
      vi.unstubAllEnvs();
    }
  });
});

describe('a status', () => {
  test('among success_statuses completes the task', async () => {
    const { url } = await serve((_, response) => void response.writeHead(404).end('gone'));
    expect(await send({ url, success_statuses: ['2xx', 404] })).toMatchObject({ status: 404, body: 'gone' });
  });

  test.each([
    [400, false],
    [404, false],
    [500, false],
    [429, true],
    [502, true],
    [503, true],
    [504, true],
  ])('of %i fails the attempt; retryable: %j', async (status, retryable) => {
    const { url } = await serve((_, response) => void response.writeHead(status).end());
    const error = await failure(send({ url: `${url}/path?key=secret` }));
    expect(error).toMatchObject({ code: 'HTTP_STATUS', options: { retryable } });
    expect(error.message).toBe(`${url}/path answered ${status}, which is not among success_statuses.`);
  });

  test('of 503 hands on Retry-After', async () => {
    const { url } = await serve((_, response) => void response.writeHead(503, { 'retry-after': '17' }).end());
    expect((await failure(send({ url }))).options).toEqual({ retryable: true, retry_after_seconds: 17 });
  });

  test('of failure is logged with the start of the body', async () => {
    const { url } = await serve((_, response) => void response.writeHead(422).end(`why\0${'x'.repeat(5000)}`));
    const log = vi.fn();
    await failure(send({ url }, { log }));
    expect(log).toHaveBeenCalledExactlyOnceWith('warn', 'The server answered 422.', { body: `why\ufffd${'x'.repeat(1996)}` });
  });
});

describe('a response too large', () => {
  test.each(['announced', 'streamed'])('fails the attempt for good (%s)', async (kind) => {
    const { url } = await serve((_, response) => {
      if (kind === 'announced') response.writeHead(200, { 'content-length': '11' });
      response.write('x'.repeat(5));
      response.end('x'.repeat(6));
    });
    const error = await failure(send({ url, max_response_bytes: 10 }));
    expect(error).toMatchObject({ code: 'RESPONSE_TOO_LARGE', options: { retryable: false } });
    expect(await send({ url, max_response_bytes: 11 })).toMatchObject({ body: 'x'.repeat(11) });
  });

  test('is not read to its end', async () => {
    const hungUp = Promise.withResolvers<void>();
    const { url } = await serve((_, response) => {
      response.on('close', () => hungUp.resolve());
      const more = () => void (response.destroyed || response.write('x'.repeat(65_536), () => setImmediate(more)));
      more();
    });
    expect((await failure(send({ url }))).code).toBe('RESPONSE_TOO_LARGE');
    await hungUp.promise;
  });

  test('that only redirects is not read at all', async () => {
    const hungUp = Promise.withResolvers<void>();
    const { url } = await serve((request, response) => {
      if (request.url === '/b') return void response.end('done');
      response.on('close', () => hungUp.resolve());
      response.writeHead(302, { location: '/b' }).write('and the body does not end');
    });
    expect(await send({ url })).toMatchObject({ body: 'done' });
    await hungUp.promise;
  });

  test('in its headers fails the attempt for good', async () => {
    const { url } = await serve((_, response) => void response.writeHead(200, { 'x-long': 'x'.repeat(40_000) }).end());
    expect(await failure(send({ url }))).toMatchObject({ code: 'RESPONSE_TOO_LARGE', options: { retryable: false } });
  });
});

describe('what can be tried again', () => {
  test('a refused connection', async () => {
    const { url, server } = await serve(() => {});
    await new Promise((done) => server.close(done));
    const error = await failure(send({ url }));
    expect(error).toMatchObject({ code: 'NETWORK_ERROR', options: { retryable: true } });
    expect(error.message).toBe(`The request to ${url} failed: nothing listens there (connection refused) (ECONNREFUSED).`);
  });

  test('a connection cut in the middle of the body', async () => {
    const { url } = await serve((_, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('half', () => response.destroy());
    });
    expect(await failure(send({ url }))).toMatchObject({ code: 'NETWORK_ERROR', options: { retryable: true } });
  });

  test('an answer that is not HTTP', async () => {
    const server = createTcpServer((socket: Socket) => void socket.on('error', () => {}).end('SSH-2.0-OpenSSH\r\n\r\n'));
    servers.push(server);
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const error = await failure(send({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` }));
    expect(error).toMatchObject({ code: 'NETWORK_ERROR', options: { retryable: true } });
    expect(error.message).toContain('the response is not valid HTTP');
  });

  test('a host name that does not resolve', async () => {
    const lookup: Lookup = () => Promise.reject(Object.assign(new Error('not found'), { code: 'ENOTFOUND' }));
    const error = await failure(send({ url: 'http://nowhere.example/' }, { lookup }));
    expect(error).toMatchObject({ code: 'NETWORK_ERROR', options: { retryable: true } });
    expect(error.message).toContain('the host name is not known');
  });

  test.each(['no answer at all', 'a body that does not end'])('%s within timeout_seconds', async (kind) => {
    const { url } = await serve((_, response) => void (kind.startsWith('a body') && response.write('x')));
    const error = await failure(send({ url, timeout_seconds: 1 }));
    expect(error).toMatchObject({ code: 'REQUEST_TIMEOUT', options: { retryable: true } });
    expect(error.message).toContain('within timeout_seconds (1)');
  });
});

describe('the signal of the task', () => {
  test('ends a request in the middle of its body, and the server sees it', async () => {
    const controller = new AbortController();
    const reason = new Error('cancelled');
    const begun = Promise.withResolvers<void>();
    const { url, server } = await serve((_, response) => void response.write('x', () => begun.resolve()));
    const hungUp = new Promise((resolve) => server.once('connection', (socket) => socket.once('close', resolve)));
    const run = send({ url, timeout_seconds: 300 }, { signal: controller.signal });
    await begun.promise;
    controller.abort(reason);
    await expect(run).rejects.toBe(reason);
    await hungUp;
  });

  test('ends a request that still resolves its host name', async () => {
    const controller = new AbortController();
    const reason = new Error('cancelled');
    const asked = Promise.withResolvers<void>();
    const lookup: Lookup = () => {
      asked.resolve();
      return new Promise(() => {});
    };
    const run = send({ url: 'http://slow.example/' }, { lookup, signal: controller.signal });
    await asked.promise;
    controller.abort(reason);
    await expect(run).rejects.toBe(reason);
  });

  test('aborted already sends nothing', async () => {
    const { url, seen } = await serve((_, response) => void response.end());
    const reason = new Error('lease lost');
    await expect(send({ url }, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(seen).toEqual([]);
  });
});
