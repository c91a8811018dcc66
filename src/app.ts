import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppModule } from './app.module.js';
import { AuditTrail } from './audit/audit-trail.js';
import { ADMIN_TOKEN, type AdminToken } from './auth/admin-token.js';
import { addHealth } from './health/health.grpc.js';
import { HealthService } from './health/health.service.js';
import { Lifecycle } from './health/lifecycle.js';
import { Kernel, type StartConfig } from './kernel.js';
import { NestLogger, type ServerLogger } from './logger.js';
import { sourcesOf } from './live-settings.js';
import type { Settings } from './settings.js';
import { GrpcDoor } from './transport/grpc/grpc-door.js';
import { Connections } from './transport/connections.js';
import { installCors } from './transport/cors.js';
import { fastifyOptions, installFastify, observeRequests, recordRequests } from './transport/fastify.js';
import { serveOpenApi } from './transport/openapi.js';
import { RequestLog } from './transport/request-log.js';
import { RequestObservers } from './transport/request-observer.js';
import { RequestSpans, traceRequests } from './transport/request-spans.js';
import { AuthenticatedIoAdapter } from './transport/socket-io.adapter.js';

/** A running replica. */
export interface Server {
  app: NestFastifyApplication;
  kernel: Kernel;
  /** Where it listens: `http://127.0.0.1:8000`. */
  url: string;
  /** Where gRPC listens: `127.0.0.1:50051`. */
  grpcAddress: string;
  /** Stops gracefully: no new work, running attempts get their time (unless `hurry`), then doors, then database. */
  close(hurry?: AbortSignal): Promise<void>;
}

/** Starts a whole replica: used by `main.ts` and by the tests alike. */
export async function startServer(
  start: Settings,
  logger: ServerLogger,
  config: StartConfig = { sources: sourcesOf(start) },
): Promise<Server> {
  const kernel = await Kernel.start(start, logger, config);
  const { settings } = kernel;
  let app: NestFastifyApplication | undefined;
  let grpc: GrpcDoor;
  try {
    app = await createApp(kernel, settings, logger);
    grpc = connectGrpc(app, kernel, settings);
    await app.startAllMicroservices();
    await app.listen(settings.PORT, settings.HOST);
  } catch (error) {
    await app?.close();
    await kernel.close();
    throw error;
  }
  const running = app;
  const lifecycle = running.get(Lifecycle);
  lifecycle.state = 'ready';
  kernel.runner.start();
  let closing: Promise<void> | undefined;
  return {
    app: running,
    kernel,
    url: urlOf(running, settings.HOST),
    grpcAddress: addressOf(settings.HOST, grpc.port!),
    close(hurry) {
      closing ??= (async () => {
        lifecycle.state = 'stopping';
        lifecycle.hurry = hurry;
        await kernel.stopRunner(hurry);
        await running.close();
        await kernel.close();
      })();
      return closing;
    },
  };
}

/** The doors on top of a kernel, not yet listening. */
export async function createApp(kernel: Kernel, settings: Settings, logger: ServerLogger): Promise<NestFastifyApplication> {
  const adapter = new FastifyAdapter(fastifyOptions());
  installFastify(adapter.getInstance());
  installCors(adapter.getInstance(), settings);
  const app = await NestFactory.create<NestFastifyApplication>(AppModule.of(kernel, settings), adapter, {
    bodyParser: false,
    logger: nestLogger(logger, kernel),
    abortOnError: false,
  });
  logger.redactor.add(app.get<AdminToken>(ADMIN_TOKEN).token);
  observe(app, kernel, settings, logger);
  app.useWebSocketAdapter(new AuthenticatedIoAdapter(app, {}, kernel.spans, app.get(AuditTrail)));
  serveOpenApi(app);
  return app;
}

/** Nest tells at `info` of everything that it starts, which is for those who debug. */
function nestLogger(logger: ServerLogger, { live }: Kernel): NestLogger {
  const level = () => (live.values.LOG_LEVEL === 'info' ? 'warn' : live.values.LOG_LEVEL);
  const quieter = logger.child({}, { level: level() });
  live.onChange(['LOG_LEVEL'], () => (quieter.level = level()));
  return new NestLogger(quieter);
}

/** Whoever wants to know of requests; metrics have put themselves among them. */
function observe(app: NestFastifyApplication, { spans }: Kernel, settings: Settings, logger: ServerLogger): void {
  const observers = app.get(RequestObservers);
  observers.add(new RequestLog(logger, settings));
  if (spans) observers.add(new RequestSpans());
  const fastify = app.getHttpAdapter().getInstance();
  recordRequests(fastify, app.get(AuditTrail));
  if (spans) traceRequests(fastify, spans);
  observeRequests(fastify, observers);
}

/** Guards, pipes and filters are those of the application; without `inheritAppConfig` none of them would run. */
function connectGrpc(app: NestFastifyApplication, { spans }: Kernel, settings: Settings): GrpcDoor {
  const health = app.get(HealthService, { strict: false });
  const door = new GrpcDoor(
    settings,
    app.get(RequestObservers),
    (server, services) => addHealth(server, health, services),
    spans,
    app.get(AuditTrail),
  );
  app.get(Connections).count('streams', () => door.streams.size);
  app.connectMicroservice({ strategy: door }, { inheritAppConfig: true });
  return door;
}

function urlOf(app: NestFastifyApplication, host: string): string {
  return `http://${addressOf(host, (app.getHttpServer().address() as { port: number }).port)}`;
}

function addressOf(host: string, port: number): string {
  const shown = host === '0.0.0.0' || host === '::' ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  return `${shown}:${port}`;
}
