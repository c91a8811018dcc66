import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { Principal } from '../auth/principal.js';
import { CodedError } from '../errors/coded-error.js';
import { parseTraceContext, type TraceContext } from '../tracing/trace-context.js';

/** What belongs to one request or one Socket.IO message, whatever runs for it. */
export interface RequestContext {
  request_id: string;
  /** Set by the auth guard; missing before it and for public operations. */
  principal?: Principal;
  /** The trace that the caller named. */
  trace?: TraceContext | undefined;
}

const storage = new AsyncLocalStorage<RequestContext>();

/** The context of the running request; `undefined` in background work. */
export function requestContext(): RequestContext | undefined {
  return storage.getStore();
}

export function runInContext<T>(context: RequestContext, callback: () => T): T {
  return storage.run(context, callback);
}

/** The caller's own id when it is harmless in logs and headers, else a new one. */
export function requestIdFrom(header: string | string[] | undefined): string {
  return typeof header === 'string' && /^[A-Za-z0-9._-]{1,100}$/.test(header) ? header : randomUUID();
}

/** Opens a context for every request and answers its id as `x-request-id`. A native hook: Nest's own ways cost several times more. */
export function installRequestContext(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    const { traceparent, tracestate } = request.headers;
    const trace = traceparent === undefined ? undefined : parseTraceContext(traceparent, tracestate);
    const context: RequestContext = { request_id: requestIdFrom(request.headers['x-request-id']), trace };
    reply.header('x-request-id', context.request_id);
    storage.run(context, () => {
      // Node would answer this by itself, with an empty body; `fastifyOptions` leaves it to us.
      const hostMissing = request.headers.host === undefined && request.raw.httpVersion === '1.1';
      done(
        hostMissing ? new CodedError('MALFORMED_REQUEST', 'The Host header is missing. HTTP/1.1 asks for it in every request.') : undefined,
      );
    });
  });
}
