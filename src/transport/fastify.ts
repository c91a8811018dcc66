import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest, FastifyServerOptions } from 'fastify';
import { STATUS_CODES } from 'node:http';
import { CodedError } from '../errors/coded-error.js';
import { toLoggedProblem } from './error.filter.js';
import { parseJsonBody } from './json-body.js';
import { problemHeaders, toProblem, type Problem } from './problem.js';
import { installRequestContext, requestIdFrom, runInContext } from './request-context.js';
import type { RequestObserver } from './request-observer.js';
import { targetOf, type RequestRecorder } from './request-recorder.js';
import { RouteTable } from './route-table.js';
import { installSecurityHeaders, securityHeaders } from './security-headers.js';
import { isEventStream } from './sse.js';

const MiB = 1024 * 1024;
const seconds = 1000;

declare module 'fastify' {
  interface FastifyInstance {
    /** The methods a path takes; empty when it is unknown. */
    allowedMethods(url: string): string[];
  }
}

/** Options of the FastifyAdapter. Limits are here, in one place; none of them is negotiable by a request. */
export function fastifyOptions() {
  return {
    bodyLimit: MiB,
    trustProxy: false,
    logger: false,
    // Prototype keys are refused by the input pipe, which can name the field.
    onProtoPoisoning: 'ignore',
    onConstructorPoisoning: 'ignore',
    requestTimeout: 30 * seconds,
    // Silence on a connection. Longer than the longest wait of a client (60 s) and than the heartbeat of streams.
    connectionTimeout: 90 * seconds,
    keepAliveTimeout: 65 * seconds,
    // Closing waits for running requests; idle connections are closed at once, and `installFastify` refuses new requests.
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    routerOptions: { maxParamLength: 500 },
    http: {
      headersTimeout: 10 * seconds,
      connectionsCheckingInterval: 5 * seconds,
      maxHeaderSize: 16 * 1024,
      // Node answers these with empty bodies; hooks of ours do better.
      requireHostHeader: false,
      // Anything else that asks for an upgrade (h2c, say) is served as the plain HTTP request it also is.
      shouldUpgradeCallback: (request: IncomingMessage) =>
        request.headers.upgrade?.toLowerCase() === 'websocket' && (request.url ?? '').startsWith('/socket.io/'),
    },
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) => {
      // The router refused before any hook could run.
      const request_id = requestIdFrom(request.headers['x-request-id']);
      const problem = runInContext({ request_id }, () => toLoggedProblem(error));
      reply.status(problem.status).headers({ ...securityHeaders, ...problemHeaders(problem), 'x-request-id': request_id });
      reply.send(JSON.stringify(problem));
    },
    clientErrorHandler: answerClientError,
  } satisfies FastifyServerOptions & { http: object };
}

/**
 * Everything of ours that is native to Fastify. Call it before Nest registers routes, and create the application with
 * `bodyParser: false`: JSON is the only body there is.
 */
export function installFastify(fastify: FastifyInstance): void {
  // First, so that also a request that a later hook refuses is answered with them.
  installSecurityHeaders(fastify);
  installRequestContext(fastify);
  refuseWhileClosing(fastify);

  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser(['application/json', 'application/merge-patch+json'], { parseAs: 'buffer' }, (_request, body, done) => {
    try {
      done(null, parseJsonBody(body as Buffer));
    } catch (error) {
      done(error as Error, undefined);
    }
  });

  const routes = new RouteTable();
  fastify.decorate('allowedMethods', (url: string) => routes.allowedMethods(url));
  fastify.addHook('onRoute', ({ url, method }) => routes.add(url, method));

  // `Expect: 100-continue` is Node's own; every other expectation would get an empty 417.
  fastify.server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    const error = new CodedError('MALFORMED_REQUEST', 'The Expect header may only say 100-continue.');
    const request_id = requestIdFrom(request.headers['x-request-id']);
    const problem = { ...toProblem(error, request_id), status: 417 };
    const body = JSON.stringify(problem);
    const headers = { ...securityHeaders, ...problemHeaders(problem), 'x-request-id': request_id };
    response.writeHead(417, { ...headers, 'content-length': Buffer.byteLength(body), connection: 'close' }).end(body);
  });
}

/** Has what requests have done recorded before their answers leave. Of a stream of ours when it is over, as its beginning changes nothing. */
export function recordRequests(fastify: FastifyInstance, recorder: RequestRecorder): void {
  const record = (request: FastifyRequest) => {
    const { arkitect: context, params, raw } = request;
    return context?.audit && recorder.record(context, { door: 'rest', address: raw.socket.remoteAddress, target: targetOf(params) });
  };
  // Node remembers an address that was asked for, and knows none of a connection that is closed.
  fastify.server.on('connection', ({ remoteAddress }) => void remoteAddress);
  fastify.addHook('onSend', (request, reply, payload, done) => {
    const recorded = record(request);
    if (!recorded) return done();
    recorded.then(
      () => done(),
      (error: unknown) => {
        if (payload instanceof Readable) payload.destroy();
        const problem = runInContext(request.arkitect, () => toLoggedProblem(error));
        for (const header of ['etag', 'location', 'content-length']) reply.removeHeader(header);
        reply.code(problem.status).headers(problemHeaders(problem));
        done(null, JSON.stringify(problem));
      },
    );
  });
  fastify.addHook('onResponse', (request, _reply, done) => {
    // There is nobody left to tell; the recorder has written to the log.
    record(request)?.catch(() => undefined);
    done();
  });
}

/** Tells of every answer that is not a stream. */
export function observeRequests(fastify: FastifyInstance, observer: RequestObserver): void {
  fastify.addHook('onResponse', (request, reply, done) => {
    if (!isEventStream(reply.raw)) {
      observer.request(request.method, request.routeOptions.url, reply.statusCode, reply.elapsedTime / 1_000, request.arkitect);
    }
    done();
  });
}

/** While the server closes, requests on connections that are still open are sent elsewhere, as a problem like any other. */
function refuseWhileClosing(fastify: FastifyInstance): void {
  let closing = false;
  fastify.addHook('preClose', (done) => {
    closing = true;
    done();
  });
  fastify.addHook('onRequest', (_request, reply, done) => {
    if (!closing) return done();
    reply.header('connection', 'close');
    done(new CodedError('UNAVAILABLE', 'The server is shutting down. Try again; another one will answer.'));
  });
}

/** Answers what Node's HTTP parser refused: there is no request object, only a socket that is closed afterwards. */
function answerClientError(error: Error & { code?: string }, socket: Socket): void {
  if (error.code !== 'ECONNRESET' && socket.writable) socket.write(rawAnswer(toProblem(error, requestIdFrom(undefined))));
  socket.destroy();
}

function rawAnswer(problem: Problem): string {
  // An error without a code that we know came from the parser all the same, so it is the request that is at fault.
  const malformed = new CodedError('MALFORMED_REQUEST', 'The request is not valid HTTP.');
  const known = problem.code === 'INTERNAL' ? toProblem(malformed, problem.request_id) : problem;
  const body = JSON.stringify(known);
  const headers = {
    ...securityHeaders,
    ...problemHeaders(known),
    'x-request-id': known.request_id ?? '',
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${known.status} ${STATUS_CODES[known.status]}\r\n${lines.join('')}\r\n${body}`;
}
