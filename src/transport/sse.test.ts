import { once } from 'node:events';
import { connect } from 'node:net';
import { Logger } from '@nestjs/common';
import { fastify, type FastifyInstance } from 'fastify';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { EventStreams, sendEventStream, type EventSource, type ServerSentEvent } from './sse.js';

beforeAll(() => Logger.overrideLogger(false));

let server: FastifyInstance;
let streams: EventStreams;
let source: EventSource;
let heartbeatSeconds: number | undefined;
let ended: PromiseWithResolvers<void>;

beforeEach(async () => {
  server = fastify();
  streams = new EventStreams();
  heartbeatSeconds = undefined;
  ended = Promise.withResolvers();
  server.get('/stream', async (_request, reply) => {
    reply.header('x-request-id', 'mine');
    await sendEventStream(reply, source, streams, heartbeatSeconds);
    ended.resolve();
  });
  await server.listen({ port: 0, host: '127.0.0.1' });
});

afterEach(async () => {
  await streams.beforeApplicationShutdown();
  await server.close();
});

const url = () => `${server.listeningOrigin}/stream`;

/** The given events and then none, without end; tells when its iterator was returned. */
function endless(first: ServerSentEvent[]) {
  const returned = Promise.withResolvers<void>();
  const events: AsyncIterable<ServerSentEvent> = {
    [Symbol.asyncIterator]: () => ({
      next: () => {
        const value = first.shift();
        return value ? Promise.resolve({ value, done: false }) : new Promise(() => {});
      },
      return: async () => {
        returned.resolve();
        return { value: undefined, done: true as const };
      },
    }),
  };
  return { events, returned: returned.promise };
}

test('events arrive in the format of EventSource, and the answer ends with them', async () => {
  source = (async function* () {
    yield { id: '7', event: 'task_created', data: { text: 'two\nlines' } };
    yield { id: 'a\nb', data: null };
  })();
  const response = await fetch(url());
  expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
  expect(response.headers.get('cache-control')).toContain('no-store');
  expect(response.headers.get('x-request-id')).toBe('mine');
  expect(await response.text()).toBe(': connected\n\nid: 7\nevent: task_created\ndata: {"text":"two\\nlines"}\n\nid: a b\ndata: null\n\n');
});

test('a client that leaves returns the source although it waits for its next event', async () => {
  const { events, returned } = endless([{ data: 1 }]);
  source = events;
  const abort = new AbortController();
  const response = await fetch(url(), { signal: abort.signal });
  const reader = response.body?.getReader();
  await reader?.read();
  abort.abort();
  await returned;
  await ended.promise;
});

test('a source made from the signal learns that its client left', async () => {
  const aborted = Promise.withResolvers<void>();
  source = async function* (signal) {
    signal.addEventListener('abort', () => aborted.resolve());
    yield { data: 1 };
    await aborted.promise;
  };
  const abort = new AbortController();
  const response = await fetch(url(), { signal: abort.signal });
  await response.body?.getReader().read();
  abort.abort();
  await aborted.promise;
  await ended.promise;
});

test('a shutdown ends every stream, and one that begins later ends at once', async () => {
  const first = endless([{ data: 1 }]);
  source = first.events;
  const response = await fetch(url());
  const text = response.text();
  await streams.beforeApplicationShutdown();
  await first.returned;
  expect(await text).toContain('connected');
  source = endless([]).events;
  expect(await (await fetch(url())).text()).toBe(': connected\n\n');
});

test('a silent stream sends heartbeats', async () => {
  heartbeatSeconds = 0.01;
  source = endless([]).events;
  const response = await fetch(url());
  let text = '';
  for await (const chunk of response.body ?? []) {
    text += Buffer.from(chunk).toString();
    if (text.includes(': heartbeat\n\n: heartbeat\n\n')) break;
  }
  await ended.promise;
});

test('a client that does not read stops its source, and starts it again by reading', async () => {
  const data = 'x'.repeat(64 * 1024);
  // 128 MiB: far more than the buffers of the kernel and of Node hold together.
  const total = 2_000;
  let produced = 0;
  const firstWait = Promise.withResolvers<void>();
  source = (async function* () {
    for (; produced < total; produced++) {
      // Runs as soon as the stream leaves the event loop to others, which it does only to wait for its client.
      if (produced === 0) setImmediate(firstWait.resolve);
      yield { data };
    }
  })();
  const socket = connect(Number(new URL(url()).port), '127.0.0.1');
  socket.pause();
  socket.write('GET /stream HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  await firstWait.promise;
  expect(produced).toBeLessThan(total / 2);
  let received = 0;
  socket.on('data', (chunk) => (received += chunk.length));
  socket.resume();
  await once(socket, 'end');
  expect(produced).toBe(total);
  expect(received).toBeGreaterThan(total * data.length);
}, 30_000);

test('a source that fails says so as its last event', async () => {
  source = (async function* () {
    yield { data: 1 };
    throw new Error('secret internals');
  })();
  const text = await (await fetch(url())).text();
  expect(text).toContain('event: error\ndata: {"type":"/docs/errors#INTERNAL"');
  expect(text).not.toContain('secret internals');
});

test('HEAD answers the headers and opens no stream', async () => {
  source = endless([]).events;
  const response = await fetch(url(), { method: 'HEAD' });
  expect(response.headers.get('content-type')).toMatch(/event-stream/);
  await ended.promise;
});
