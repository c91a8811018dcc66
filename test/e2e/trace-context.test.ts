import { createServer, type IncomingHttpHeaders } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { GrpcClient } from '../support/grpc.js';
import { HandWorkerStream } from '../support/grpc-worker.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { ask, closeSockets, connectSocket } from '../support/socket-client.js';
import { until } from '../support/until.js';

/* The trace of a caller goes with its task wherever it goes, while the server itself traces nothing. */

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const traceparent = `00-${traceId}-00f067aa0ba902b7-01`;
const tracestate = 'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE';
const otherTraceId = '0af7651916cd43dd8448eb211c80319c';
const otherTraceparent = `00-${otherTraceId}-b7ad6b7169203331-00`;
const invalid = `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`;

let server: TestServer;
let grpc: GrpcClient;
beforeAll(async () => {
  server = await startTestServer({ HTTP_ALLOW_HOSTS: '127.0.0.1' });
  grpc = new GrpcClient(server.server.grpcAddress, server.token);
});
afterEach(() => {
  closeSockets();
  grpc.headers = {};
});
afterAll(async () => {
  grpc.close();
  await server.close();
});

const create = (body: object, headers: Record<string, string>) => server.api('POST', '/tasks', { name: 'traced', ...body }, headers);

async function stored(id: string): Promise<unknown> {
  const text = 'SELECT traceparent, tracestate FROM tasks WHERE id = $1';
  return (await server.server.kernel.database.api.queryText(text, [id]))[0];
}

/** A server that keeps the headers it was sent. */
async function listen(): Promise<{ url: string; seen: IncomingHttpHeaders[] } & AsyncDisposable> {
  const seen: IncomingHttpHeaders[] = [];
  const listener = createServer((request, response) => {
    seen.push(request.headers);
    response.end();
  }).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return {
    url: `http://127.0.0.1:${(listener.address() as AddressInfo).port}`,
    seen,
    async [Symbol.asyncDispose]() {
      listener.close();
      listener.closeAllConnections();
    },
  };
}

describe('REST', () => {
  test('the trace of the request is kept with the task and shown on it', async () => {
    const { body } = await create({}, { traceparent, tracestate });
    expect(body.trace_id).toBe(traceId);
    expect(await stored(body.id as string)).toEqual({ traceparent, tracestate });
    expect((await server.api('GET', `/tasks/${body.id}`)).body.trace_id).toBe(traceId);
    expect((await server.api('GET', '/tasks?limit=1')).body.items[0].trace_id).toBe(traceId);
    // The request that runs it belongs to a trace of its own; the task stays in that of its creation.
    const executed = await server.api('POST', `/tasks/${body.id}/execute?wait=20`, undefined, { traceparent: otherTraceparent });
    expect(executed.body).toMatchObject({ status: 'completed', trace_id: traceId });
  });

  test.each([
    ['no trace', {}],
    ['a trace that is not valid', { traceparent: invalid, tracestate }],
    ['a tracestate alone', { tracestate }],
  ])('nothing is kept of a request with %s', async (_, headers: Record<string, string>) => {
    const { status, body } = await create({}, headers);
    expect([status, body.trace_id]).toEqual([201, null]);
    expect(await stored(body.id as string)).toEqual({ traceparent: null, tracestate: null });
  });

  test('all tasks of a bulk belong to its trace', async () => {
    const tasks = Array.from({ length: 3 }, (_, index) => ({ name: `task ${index}` }));
    const { body } = await server.api('POST', '/tasks/bulk', { tasks }, { traceparent });
    expect(body.items.map(({ task }: { task: { trace_id: string } }) => task.trace_id)).toEqual([traceId, traceId, traceId]);
  });

  test('tasks with and without a trace are stored in one statement', async () => {
    const answers = await Promise.all(
      [{ traceparent }, {}, { traceparent: otherTraceparent }].map((headers) => create({}, headers as Record<string, string>)),
    );
    expect(answers.map(({ body }) => body.trace_id)).toEqual([traceId, null, otherTraceId]);
  });
});

describe('http.request', () => {
  test('sends the trace on to the server it calls', async () => {
    await using called = await listen();
    const task = { type: 'http.request', start: 'auto', parameters: { url: called.url } };
    await server.api('POST', '/tasks?wait=20', { name: 'call', ...task }, { traceparent, tracestate });
    await server.api('POST', '/tasks?wait=20', { name: 'call', ...task });
    expect(called.seen.map((headers) => [headers.traceparent, headers.tracestate])).toEqual([
      [traceparent, tracestate],
      [undefined, undefined],
    ]);
  });
});

describe('gRPC', () => {
  test('the trace of the call is kept with the task and shown on it', async () => {
    grpc.headers = { traceparent, tracestate };
    const { task } = await grpc.call('CreateTask', { task: { name: 'traced' } });
    expect(task.trace_id).toBe(traceId);
    expect(await stored(task.id as string)).toEqual({ traceparent, tracestate });
    grpc.headers = { traceparent: invalid };
    expect((await grpc.call('CreateTask', { task: { name: 'not traced' } })).task).not.toHaveProperty('trace_id');
  });

  test('a remote worker gets it with each attempt', async () => {
    const worker = await HandWorkerStream.start(grpc, { name: 'painter', types: ['paint'] });
    await create({ type: 'paint', start: 'auto', max_attempts: 2, backoff: { delay_seconds: 0 } }, { traceparent, tracestate });
    const [first] = await worker.assignments(1);
    expect(first).toMatchObject({ traceparent, tracestate });
    await worker.settle({ fail: [{ lease: first!.lease, message: 'again' }] });
    expect((await worker.assignments(2))[1]).toMatchObject({ lease: { attempt: 2 }, traceparent, tracestate });
    await create({ type: 'paint', start: 'auto' }, {});
    const untraced = (await worker.assignments(3))[2]!;
    expect([untraced.traceparent, untraced.tracestate]).toEqual([undefined, undefined]);
    worker.finish();
  });

  test('and so does a worker that polls', async () => {
    const poll = { name: 'poller', instance: 'instance-1', types: ['poll.me'], slots: 1, wait_seconds: 20 };
    const polled = server.api('POST', '/workers/poll', poll);
    await until('its type to be known', async () => (await create({ type: 'poll.me', start: 'auto' }, { traceparent })).status === 201);
    expect((await polled).body.tasks).toMatchObject([{ traceparent, tracestate: null }]);
  });
});

describe('Socket.IO', () => {
  const auth = () => ({ token: server.token });

  test('a message names its trace in fields that every message takes', async () => {
    const client = await connectSocket(`${server.url}/tasks`, { auth: auth() });
    const task = await ask(client, 'create', { name: 'traced', traceparent, tracestate });
    expect(task).toMatchObject({ name: 'traced', trace_id: traceId });
    expect(await stored(task.id as string)).toEqual({ traceparent, tracestate });
    expect(await ask(client, 'get', { id: task.id, traceparent })).toMatchObject({ id: task.id });
    expect(await ask(client, 'create', { name: 'not traced', traceparent: 7 })).toMatchObject({ trace_id: null });
  });

  test.each([
    ['auth', () => ({ auth: { ...auth(), traceparent } })],
    ['headers', () => ({ auth: auth(), extraHeaders: { traceparent } })],
  ])('else it is the one that the handshake named in its %s', async (_, options) => {
    const client = await connectSocket(`${server.url}/tasks`, options());
    expect(await ask(client, 'create', { name: 'of the connection' })).toMatchObject({ trace_id: traceId });
    const own = { name: 'of the message', traceparent: otherTraceparent };
    expect(await ask(client, 'create', own)).toMatchObject({ trace_id: otherTraceId });
  });
});
