import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Metadata, Server, ServerCredentials } from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';
import { ServerGrpc } from '@nestjs/microservices';
import { SettingsError, type Settings } from '../../settings.js';
import type { Spans } from '../../tracing/tracing.js';
import { requestIdFrom, runInContext, type RequestContext } from '../request-context.js';
import { toLoggedProblem } from '../error.filter.js';
import type { RequestObserver } from '../request-observer.js';
import type { RequestRecorder } from '../request-recorder.js';
import { traceCall } from '../request-spans.js';
import './json-messages.js';
import { originOf, traceOf, type RpcCall } from './rpc-call.js';
import { recordAtEnd } from './record-at-end.js';
import { toRpcStatus } from './rpc-status.js';

const protoDirectory = fileURLToPath(new URL('../../../proto', import.meta.url));
export const protoFiles = [
  'admin',
  'alert',
  'alert_channel',
  'alert_route',
  'alert_rule',
  'alert_silence',
  'config',
  'metrics',
  'task',
  'worker',
].map((name) => `arkitect/v1/${name}_service.proto`);

const MiB = 1024 * 1024;
/** After this long at shutdown, calls that are still open are cut. */
const closeMs = 2_000;

/**
 * How messages become objects: names as they are in the proto files, absent fields are absent, 64-bit numbers are numbers. Without `oneofs`, as
 * every optional field is one of its own and would come as a second field.
 */
export const loaderOptions = { keepCase: true, longs: Number, enums: String, includeDirs: [protoDirectory] };

/** Limits of a connection; none of them is negotiable by a call. */
const channelOptions = {
  'grpc.max_receive_message_length': 8 * MiB,
  'grpc.max_send_message_length': 32 * MiB,
  'grpc.max_concurrent_streams': 1_000,
  'grpc.keepalive_time_ms': 30_000,
  'grpc.keepalive_timeout_ms': 10_000,
};

type Answer = (...args: unknown[]) => void;
type ServiceMethod = (call: RpcCall, callback: Answer) => unknown;

/** The gRPC server: Nest's own, which also says which port it got, opens a context for each call and does not wait for ever when it closes. */
export class GrpcDoor extends ServerGrpc {
  /** Where it listens, once it does. */
  port: number | undefined;
  /** Calls that answer with a stream, while it is open. */
  readonly streams = new Set<RpcCall>();
  private running: Server | undefined;

  constructor(
    private readonly settings: Settings,
    private readonly observer: RequestObserver,
    /** Services that are not Nest's. */
    private readonly addServices: (server: Server, services: string[]) => void,
    private readonly spans: Spans | undefined,
    private readonly recorder?: RequestRecorder,
  ) {
    super({
      package: 'arkitect.v1',
      protoPath: protoFiles,
      loader: loaderOptions,
      onLoadPackageDefinition: (definition) => {
        new ReflectionService(definition).addToServer(this.running!);
        // Messages are in the definition, too, and have a format.
        this.addServices(
          this.running!,
          Object.keys(definition).filter((name) => !('format' in definition[name]!)),
        );
      },
    });
  }

  override async createClient(): Promise<Server> {
    const { HOST, GRPC_PORT } = this.settings;
    const server = new Server(channelOptions);
    const address = `${HOST.includes(':') ? `[${HOST}]` : HOST}:${GRPC_PORT}`;
    this.port = await new Promise<number>((resolve, reject) => {
      server.bindAsync(address, credentialsOf(this.settings), (error, port) =>
        error ? reject(cannotListen(error, address)) : resolve(port),
      );
    });
    this.running = server;
    return server;
  }

  override createServiceMethod(...args: Parameters<ServerGrpc['createServiceMethod']>): Function {
    const method = super.createServiceMethod(...args) as ServiceMethod;
    const { path, responseStream } = args[1] as { path: string; responseStream: boolean };
    return (call: RpcCall, answer: Answer) => {
      const request_id = requestIdFrom(call.metadata.get('x-request-id')[0]?.toString());
      const answered = new Metadata();
      answered.set('x-request-id', request_id);
      call.sendMetadata(answered);
      const context: RequestContext = { request_id, trace: traceOf(call) };
      const callback = responseStream ? answer : this.recorded(call, this.observed(nameOf(path), answer, context), context);
      if (responseStream) this.watch(call);
      if (responseStream && this.recorder) recordAtEnd(call, context, this.recorder);
      return runInContext(context, () =>
        // A refusal of a stream's guard comes as a rejection, which Nest leaves to nobody.
        Promise.resolve(method(call, callback)).catch((error: unknown) => call.emit('error', error)),
      );
    };
  }

  /** What a call with one answer has done is recorded before that leaves. */
  private recorded(call: RpcCall, answer: Answer, context: RequestContext): Answer {
    const { recorder } = this;
    if (!recorder) return answer;
    // Taken now: of a client that has left nothing is known.
    const origin = originOf(call);
    return (...given) => {
      const recorded = context.audit && recorder.record(context, origin);
      if (!recorded) return answer(...given);
      recorded.then(
        () => answer(...given),
        (error: unknown) => answer(runInContext(context, () => toRpcStatus(toLoggedProblem(error)))),
      );
    };
  }

  /** Of a call with one answer. */
  private observed(method: string, answer: Answer, context: RequestContext): Answer {
    if (this.spans) traceCall(this.spans, context, method);
    const begun = performance.now();
    return (error, ...rest) => {
      const status = error ? ((error as { code?: number }).code ?? 2) : 0;
      this.observer.call(method, status, (performance.now() - begun) / 1_000, context);
      answer(error, ...rest);
    };
  }

  private watch(call: RpcCall): void {
    this.streams.add(call);
    const calls: NodeJS.EventEmitter = call;
    for (const event of ['close', 'cancelled', 'finish', 'error']) calls.once(event, () => this.streams.delete(call));
  }

  override async close(): Promise<void> {
    const server = this.running;
    if (!server) return;
    this.running = undefined;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, closeMs)));
    await Promise.race([new Promise<void>((resolve) => server.tryShutdown(() => resolve())), late]);
    clearTimeout(timer);
    server.forceShutdown();
  }
}

/** `TaskService/CreateTask` of `/arkitect.v1.TaskService/CreateTask`. */
function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('.', path.lastIndexOf('/')) + 1);
}

function cannotListen(error: Error, address: string): Error {
  return /EADDRINUSE/.test(error.message)
    ? new SettingsError(
        `The gRPC address ${address} is taken. Stop what uses it, or set GRPC_PORT to another one (GRPC_PORT=50052 npm start).`,
      )
    : error;
}

/** Throws `SettingsError` for a file that cannot be read. */
function readPem(key: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new SettingsError(`${key} names ${path}, which cannot be read: ${(error as Error).message}.`);
  }
}

function credentialsOf({ GRPC_TLS_CERT_FILE, GRPC_TLS_KEY_FILE, GRPC_TLS_CLIENT_CA_FILE }: Settings): ServerCredentials {
  if (!GRPC_TLS_CERT_FILE) return ServerCredentials.createInsecure();
  const pair = {
    cert_chain: readPem('GRPC_TLS_CERT_FILE', GRPC_TLS_CERT_FILE),
    private_key: readPem('GRPC_TLS_KEY_FILE', GRPC_TLS_KEY_FILE),
  };
  const clientCa = GRPC_TLS_CLIENT_CA_FILE ? readPem('GRPC_TLS_CLIENT_CA_FILE', GRPC_TLS_CLIENT_CA_FILE) : null;
  return ServerCredentials.createSsl(clientCa, [pair], clientCa !== null);
}
