import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { Operation } from '../auth/policy.js';
import type { Principal } from '../auth/principal.js';
import { CodedError } from '../errors/coded-error.js';
import type { ErrorCode } from '../errors/error-codes.js';
import { parseTraceContext, traceIdOf, type TraceContext } from '../tracing/trace-context.js';
import type { OpenSpan } from '../tracing/tracing.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** What belongs to it, also when nothing runs for it any more. */
    arkitect: RequestContext;
  }
}

/** Something that a request has changed, for the audit log. */
export interface NotedChange {
  id: string | null;
  before?: unknown;
  after?: unknown;
}

/** An operation that goes into the audit log, and what has come of it so far. */
export interface AuditedRequest {
  operation: Operation;
  changes: NotedChange[];
  /** Changes that were too many to be noted one by one. */
  more: number;
  /** Nothing has changed: there is nothing to record. */
  unchanged: boolean;
  recorded: boolean;
}

/** What belongs to one request, one Socket.IO message or one attempt, whatever runs for it. */
export interface RequestContext {
  /** Attempts have none: they may have been asked for long ago. */
  request_id?: string;
  /** Of attempts. */
  task_id?: string;
  attempt?: number;
  /** Set by the auth guard; missing before it and for public operations. */
  principal?: Principal;
  /** The trace that the caller named; from here on in the span of the request, if there is one. */
  trace?: TraceContext | undefined;
  span?: OpenSpan;
  /** Set by the auth guard, of operations that are audited. */
  audit?: AuditedRequest;
  /** The error that is answered. */
  failure?: ErrorCode;
}

const storage = new AsyncLocalStorage<RequestContext>();

/** The context of the running request; `undefined` in background work. */
export function requestContext(): RequestContext | undefined {
  return storage.getStore();
}

export function runInContext<T>(context: RequestContext, callback: () => T): T {
  return storage.run(context, callback);
}

/** What a line of the log says of where it comes from. */
export function logFields({ request_id, task_id, attempt, trace }: RequestContext): Record<string, string | number | undefined> {
  return { request_id, task_id, attempt, trace_id: trace && traceIdOf(trace.traceparent) };
}

/** The caller's own id when it is harmless in logs and headers, else a new one. */
export function requestIdFrom(header: string | string[] | undefined): string {
  return typeof header === 'string' && /^[A-Za-z0-9._-]{1,100}$/.test(header) ? header : randomUUID();
}

/** Opens a context for every request and answers its id as `x-request-id`. A native hook: Nest's own ways cost several times more. */
export function installRequestContext(fastify: FastifyInstance): void {
  fastify.decorateRequest('arkitect');
  fastify.addHook('onRequest', (request, reply, done) => {
    const { traceparent, tracestate } = request.headers;
    const trace = traceparent === undefined ? undefined : parseTraceContext(traceparent, tracestate);
    const request_id = requestIdFrom(request.headers['x-request-id']);
    const context: RequestContext = { request_id, trace };
    request.arkitect = context;
    reply.header('x-request-id', request_id);
    storage.run(context, () => {
      // Node would answer this by itself, with an empty body; `fastifyOptions` leaves it to us.
      const hostMissing = request.headers.host === undefined && request.raw.httpVersion === '1.1';
      done(
        hostMissing ? new CodedError('MALFORMED_REQUEST', 'The Host header is missing. HTTP/1.1 asks for it in every request.') : undefined,
      );
    });
  });
}
