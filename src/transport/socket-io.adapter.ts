import type { IncomingMessage } from 'node:http';
import { randomUUID } from 'node:crypto';
import type { INestApplicationContext } from '@nestjs/common';
import { IoAdapter } from '@nestjs/platform-socket.io';
import type { MessageMappingProperties } from '@nestjs/websockets';
import { lastValueFrom, type Observable } from 'rxjs';
import type { Namespace, Server, ServerOptions, Socket } from 'socket.io';
import { Authenticator } from '../auth/authenticator.js';
import type { Principal } from '../auth/principal.js';
import { CodedError } from '../errors/coded-error.js';
import { SETTINGS, type Settings } from '../settings.js';
import { parseTraceContext, type TraceContext } from '../tracing/trace-context.js';
import { Connections } from './connections.js';
import { toLoggedProblem } from './error.filter.js';
import { corsOptions, isAllowedOrigin } from './origin.js';
import type { Spans } from '../tracing/tracing.js';
import type { Problem } from './problem.js';
import { runInContext, type RequestContext } from './request-context.js';
import { RequestObserver } from './request-observer.js';
import { targetOf, type RequestRecorder } from './request-recorder.js';
import { traceMessage } from './request-spans.js';
import { securityHeaders } from './security-headers.js';

/** The part of engine.io's connection that we use; its own types are not ours to import. */
interface EngineSocket {
  on(event: 'packet', listener: (packet: { type: string }) => void): void;
  close(discard: boolean): void;
}

type Ack = (...answer: unknown[]) => void;

/** What is kept with a socket. */
interface SocketData {
  principal?: Principal;
  /** The trace that the handshake named. */
  trace?: TraceContext | undefined;
}

/** Socket.IO with our limits, authentication of every namespace, and an answer to every ack. */
export class AuthenticatedIoAdapter extends IoAdapter {
  private readonly settings: Settings;
  private readonly authenticator: Authenticator;
  private readonly connections: Connections;
  private readonly observer: RequestObserver;
  /** Events that gateways handle, by socket; any other one is answered as unknown. */
  private readonly handled = new WeakMap<Socket, Set<string>>();

  /** `tuning` goes over our own options: tests of the protocol cannot wait for the real intervals. */
  constructor(
    app: INestApplicationContext,
    private readonly tuning: Partial<Pick<ServerOptions, 'pingInterval' | 'pingTimeout' | 'connectTimeout' | 'maxHttpBufferSize'>> = {},
    private readonly spans?: Spans,
    private readonly recorder?: RequestRecorder,
  ) {
    super(app);
    this.settings = app.get<Settings>(SETTINGS);
    this.authenticator = app.get(Authenticator);
    this.connections = app.get(Connections);
    this.observer = app.get(RequestObserver, { strict: false });
  }

  override createIOServer(port: number, options?: ServerOptions): Server {
    const server: Server = super.createIOServer(port, {
      ...options,
      transports: ['polling', 'websocket'],
      serveClient: false,
      maxHttpBufferSize: 1024 * 1024,
      perMessageDeflate: false,
      httpCompression: false,
      connectTimeout: 10_000,
      cors: corsOptions(this.settings),
      // Browsers do not apply CORS to WebSockets, so other sites are kept out here.
      allowRequest: (request: IncomingMessage, decide: (error: string | null, allowed: boolean) => void) => {
        const allowed = isAllowedOrigin(request.headers, this.settings);
        decide(allowed ? null : 'Pages of this origin may not connect; add it to CORS_ORIGINS.', allowed);
      },
      ...this.tuning,
    } as ServerOptions);
    this.connections.count('sockets', () => server.engine.clientsCount);
    server.engine.on('headers', (headers: Record<string, string>) => Object.assign(headers, securityHeaders));
    server.engine.on('connection', (connection: EngineSocket) => {
      // engine.io heeds the close packet over polling alone.
      connection.on('packet', ({ type }: { type: string }) => type === 'close' && connection.close(true));
    });
    server.of('/').use((_socket, next) => {
      next(refusal(new CodedError('NOT_FOUND', 'Connect to a namespace, such as /tasks; there is nothing in the root namespace.')));
    });
    server.on('new_namespace', (namespace: Namespace) => {
      namespace.use((socket, next) => next(this.authenticate(socket)));
    });
    return server;
  }

  /** Like Nest's own, but an ack is answered whatever the handler returns, and a result with a field `event` is still a result. */
  override bindMessageHandlers(
    socket: Socket,
    handlers: MessageMappingProperties[],
    transform: (data: unknown) => Observable<unknown>,
  ): void {
    const handled = this.handledBy(socket);
    for (const { message, callback, isAckHandledManually } of handlers) {
      handled.add(String(message));
      socket.on(String(message), (...received: unknown[]) => {
        const { data, trace, ack } = readMessage(socket, received);
        const context = contextOf(socket, trace);
        if (this.spans) traceMessage(this.spans, context, socket.nsp.name, String(message));
        void runInContext(context, async () => {
          const begun = performance.now();
          let status = 200;
          let answered: Promise<void> | undefined;
          // The first answer counts; what the message has done is recorded before it leaves.
          const answer = (...given: Parameters<Ack>) =>
            (answered ??= this.answer(socket, context, data, ack, given).then((problem) => {
              if (problem) ({ status } = problem);
            }));
          // By this one the filter answers errors; results go another way.
          const refuse =
            ack &&
            ((...given: Parameters<Ack>) => {
              status = (given[0] as { error?: Problem } | undefined)?.error?.status ?? 500;
              void answer(...given);
            });
          try {
            const result = await lastValueFrom(transform(callback(data, refuse)), { defaultValue: undefined });
            if (!isAckHandledManually) await answer(result ?? {});
          } catch (error) {
            const problem = toLoggedProblem(error);
            status = problem.status;
            await answer({ error: problem });
          }
          this.observer.message(socket.nsp.name, String(message), status, (performance.now() - begun) / 1_000, context);
        });
      });
    }
  }

  /** The answer leaves at once where there is nothing to record. Resolves with the problem that was told instead, because it could not be recorded. */
  private answer(
    socket: Socket,
    context: RequestContext,
    data: unknown,
    ack: Ack | undefined,
    given: Parameters<Ack>,
  ): Promise<Problem | undefined> {
    const origin = { door: 'socket.io', address: socket.handshake.address, target: targetOf(data) } as const;
    const recorded = context.audit && this.recorder?.record(context, origin);
    if (recorded) {
      return recorded.then(
        () => {
          ack?.(...given);
          return undefined;
        },
        (error: unknown) => {
          const problem = toLoggedProblem(error);
          ack?.({ error: problem });
          return problem;
        },
      );
    }
    ack?.(...given);
    return Promise.resolve(undefined);
  }

  /** Ends all clients but leaves the HTTP server to Fastify, which lets running requests finish first. */
  override async close(server: Server): Promise<void> {
    if (typeof server.disconnectSockets !== 'function') return;
    server.disconnectSockets(true);
    server.engine?.close();
  }

  private authenticate(socket: Socket): Error | undefined {
    try {
      const { headers, auth } = socket.handshake;
      const { token, traceparent, tracestate } = (auth ?? {}) as Record<string, unknown>;
      const principal = this.authenticator.authenticate(headers, token);
      if (!principal) throw new CodedError('UNAUTHENTICATED', 'A token is needed. Connect with auth: { token: "TOKEN" }.');
      // Browsers cannot set headers of a WebSocket.
      const trace = parseTraceContext(traceparent, tracestate) ?? parseTraceContext(headers.traceparent, headers.tracestate);
      Object.assign(socket.data as SocketData, { principal, trace });
      return undefined;
    } catch (error) {
      return refusal(error);
    }
  }

  private handledBy(socket: Socket): Set<string> {
    const known = this.handled.get(socket);
    if (known) return known;
    const handled = new Set<string>();
    this.handled.set(socket, handled);
    socket.onAny((event: string, ...received: unknown[]) => {
      if (handled.has(event)) return;
      const { ack } = split(received);
      runInContext(contextOf(socket, undefined), () => {
        const names = [...handled].sort().join(', ');
        const error = new CodedError(
          'NOT_FOUND',
          `${socket.nsp.name} has no message ${JSON.stringify(event.slice(0, 100))}; it has ${names}.`,
        );
        const answer = { error: toLoggedProblem(error) };
        if (ack) ack(answer);
        else socket.emit('exception', answer);
      });
    });
    return handled;
  }
}

/** What a refused handshake reports as `connect_error`: a sentence, and the problem as `data`. */
function refusal(error: unknown): Error {
  const problem = toLoggedProblem(error);
  return Object.assign(new Error(problem.detail), { data: problem });
}

function contextOf(socket: Socket, trace: TraceContext | undefined): RequestContext {
  return { request_id: randomUUID(), principal: (socket.data as SocketData).principal!, trace };
}

/** A message may name its trace in fields of its own, which are the same for all messages; else it is that of the connection. */
function readMessage(socket: Socket, received: unknown[]): { data: unknown; trace: TraceContext | undefined; ack?: Ack } {
  const { data, ack } = split(received);
  const { trace } = socket.data as SocketData;
  if (typeof data !== 'object' || data === null || !Object.hasOwn(data, 'traceparent')) return { data, trace, ack };
  const { traceparent, tracestate, ...body } = data as Record<string, unknown>;
  return { data: body, trace: parseTraceContext(traceparent, tracestate) ?? trace, ack };
}

function split(received: unknown[]): { data: unknown; ack?: Ack } {
  const last = received.at(-1);
  const ack = typeof last === 'function' ? (last as Ack) : undefined;
  const payload = ack ? received.slice(0, -1) : received;
  return { data: payload.length > 1 ? payload : payload[0], ack };
}
