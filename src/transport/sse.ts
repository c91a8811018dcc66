import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { Injectable, Logger, type BeforeApplicationShutdown } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { Principal } from '../auth/principal.js';
import { CodedError } from '../errors/coded-error.js';
import { toProblem } from './problem.js';
import { requestContext } from './request-context.js';

/** One event of a stream. `data` is sent as JSON; `id` comes back as `Last-Event-ID` when the client reconnects. */
export interface ServerSentEvent {
  id?: string;
  event?: string;
  data: unknown;
}

/** Either the events, or a function that makes them and may end early by the signal. */
export type EventSource = AsyncIterable<ServerSentEvent> | ((signal: AbortSignal) => AsyncIterable<ServerSentEvent>);

/** All open streams of this process, so that a shutdown can end them: Fastify would wait for them forever. */
@Injectable()
export class EventStreams implements BeforeApplicationShutdown {
  private readonly open = new Map<AbortController, { running: Promise<void>; principal: Principal | undefined }>();
  /** New streams end at once. */
  stopping = false;

  async run(stream: (signal: AbortSignal) => Promise<void>, controller: AbortController): Promise<void> {
    if (this.stopping) controller.abort();
    const running = stream(controller.signal);
    this.open.set(controller, { running, principal: requestContext()?.principal });
    try {
      await running;
    } finally {
      this.open.delete(controller);
    }
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping = true;
    for (const controller of this.open.keys()) controller.abort();
    await Promise.allSettled([...this.open.values()].map(({ running }) => running));
  }

  /** Ends the streams of those who would not be let in any more. */
  sendAway(mayStay: (principal: Principal) => boolean): void {
    const ended = new CodedError('UNAUTHENTICATED', 'The token of this stream has ended. Connect again with the one that took its place.');
    for (const [controller, { principal }] of this.open) if (principal && !mayStay(principal)) controller.abort(ended);
  }
}

const logger = new Logger('EventStreams');
const streaming = new WeakSet<ServerResponse>();

/**
 * Sends `source` as `text/event-stream` until it ends, the client leaves or the server stops; then the source's iterator is
 * returned. Resolves when the stream is over. A comment every `heartbeatSeconds` keeps proxies from closing a silent stream.
 */
export async function sendEventStream(
  reply: FastifyReply,
  source: EventSource,
  streams: EventStreams,
  heartbeatSeconds = 15,
): Promise<void> {
  const { raw, request } = reply;
  reply.hijack();
  streaming.add(raw);
  raw.writeHead(200, {
    ...(reply.getHeaders() as Record<string, string>),
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store, no-transform',
    'x-accel-buffering': 'no',
  });
  if (request.method === 'HEAD') return void raw.end();
  const controller = new AbortController();
  raw.once('close', () => controller.abort());
  raw.write(': connected\n\n');
  const heartbeat = setInterval(() => {
    // Nothing is added for a client that does not read; the connection's timeout ends it.
    if (!raw.writableNeedDrain) raw.write(': heartbeat\n\n');
  }, heartbeatSeconds * 1000);
  try {
    await streams.run((signal) => copy(typeof source === 'function' ? source(signal) : source, raw, signal), controller);
  } catch (error) {
    logger.error(error instanceof Error ? error : new Error(String(error)));
    if (!raw.writableEnded) raw.write(format({ event: 'error', data: toProblem(error, requestContext()?.request_id) }));
  } finally {
    clearInterval(heartbeat);
    raw.end();
  }
}

/** Whether the answer was a stream, whose length says nothing of how fast we are. */
export function isEventStream(response: ServerResponse): boolean {
  return streaming.has(response);
}

async function copy(source: AsyncIterable<ServerSentEvent>, raw: ServerResponse, signal: AbortSignal): Promise<void> {
  const iterator = source[Symbol.asyncIterator]();
  try {
    while (!signal.aborted) {
      const next = await unlessAborted(iterator.next(), signal);
      if (!next || next.done) return;
      // A client that reads slowly slows its own source, instead of filling our memory.
      if (!raw.write(format(next.value))) await once(raw, 'drain', { signal }).catch(() => undefined);
    }
  } finally {
    // Not awaited: a generator that is waiting for its next event answers only after that.
    void Promise.resolve(iterator.return?.()).catch((error: unknown) => logger.error(error));
  }
}

/** The promise's value, or `undefined` at the abort. A race with one long-lived promise would leak memory with every event. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const abort = () => resolve(undefined);
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

function format({ id, event, data }: ServerSentEvent): string {
  const field = (name: string, value: string | undefined) => (value === undefined ? '' : `${name}: ${value.replace(/[\r\n\0]/g, ' ')}\n`);
  return `${field('id', id)}${field('event', event)}data: ${JSON.stringify(data ?? null)}\n\n`;
}
