import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Logger } from 'pino';
import { AppModule } from './app.module.js';
import { addHealth } from './health/health.grpc.js';
import { HealthService } from './health/health.service.js';
import { Lifecycle } from './health/lifecycle.js';
import { Kernel } from './kernel.js';
import { NestLogger } from './logger.js';
import type { Settings } from './settings.js';
import { GrpcDoor } from './transport/grpc/grpc-door.js';
import { Connections } from './transport/connections.js';
import { fastifyOptions, installFastify, observeRequests } from './transport/fastify.js';
import { serveOpenApi } from './transport/openapi.js';
import { corsOptions } from './transport/origin.js';
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
export async function startServer(settings: Settings, logger: Logger): Promise<Server> {
  const kernel = await Kernel.start(settings, logger);
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
export async function createApp(kernel: Kernel, settings: Settings, logger: Logger): Promise<NestFastifyApplication> {
  const adapter = new FastifyAdapter(fastifyOptions());
  installFastify(adapter.getInstance());
  const app = await NestFactory.create<NestFastifyApplication>(AppModule.of(kernel, settings), adapter, {
    bodyParser: false,
    logger: new NestLogger(logger.child({}, { level: logger.level === 'info' ? 'warn' : logger.level })),
    abortOnError: false,
  });
  const cors = corsOptions(settings);
  if (cors) app.enableCors(cors);
  observe(app, kernel, settings, logger);
  app.useWebSocketAdapter(new AuthenticatedIoAdapter(app, {}, kernel.spans));
  serveOpenApi(app);
  return app;
}

/** Whoever wants to know of requests; metrics have put themselves among them. */
function observe(app: NestFastifyApplication, { spans }: Kernel, settings: Settings, logger: Logger): void {
  const observers = app.get(RequestObservers);
  const log = RequestLog.of(logger, settings);
  if (log) observers.add(log);
  if (spans) observers.add(new RequestSpans());
  const fastify = app.getHttpAdapter().getInstance();
  if (spans) traceRequests(fastify, spans);
  observeRequests(fastify, observers);
}

/** Guards, pipes and filters are those of the application; without `inheritAppConfig` none of them would run. */
function connectGrpc(app: NestFastifyApplication, { spans }: Kernel, settings: Settings): GrpcDoor {
  const health = app.get(HealthService, { strict: false });
  const door = new GrpcDoor(settings, app.get(RequestObservers), (server, services) => addHealth(server, health, services), spans);
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
