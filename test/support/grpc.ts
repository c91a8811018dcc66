import { credentials, loadPackageDefinition, Metadata, type ChannelCredentials, type Client, type ServiceError } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import protobuf from 'protobufjs';
import { loaderOptions, protoFiles } from '../../src/transport/grpc/grpc-door.js';

const definition = loadSync(protoFiles, loaderOptions);

/** Every rpc there is, from the descriptors themselves. */
export const rpcs = Object.entries(definition).flatMap(([service, methods]) =>
  'format' in methods
    ? []
    : Object.entries(methods as Record<string, { requestStream: boolean; responseStream: boolean }>).map(
        ([method, { requestStream, responseStream }]) => ({
          service,
          method,
          requestStream,
          responseStream,
        }),
      ),
);

export interface RpcError extends ServiceError {
  /** Our own code: the reason of the ErrorInfo. */
  reason: string | undefined;
  /** Of the BadRequest. */
  fields: { field: string; description: string }[];
}

// What a test reads from an answer is checked by its assertions.
// oxlint-disable-next-line typescript/no-explicit-any
type Any = any;

/** A real gRPC client of the server under test. */
export class GrpcClient {
  private readonly clients = new Map<string, Client>();
  /** Metadata of every call, beside the token. */
  headers: Record<string, string> = {};

  constructor(
    private readonly address: string,
    private readonly token?: string,
    private readonly channel: ChannelCredentials = credentials.createInsecure(),
  ) {}

  /** One call; a stream's answers come as a list. */
  call(method: string, message: object = {}, service = 'arkitect.v1.TaskService'): Promise<Any> {
    const rpc = rpcs.find((candidate) => candidate.service === service && candidate.method === method)!;
    const client = this.client(service) as Any;
    return new Promise((resolve, reject) => {
      const done = (error: ServiceError | null, answer: unknown) => (error ? reject(withDetails(error)) : resolve(answer));
      if (!rpc.requestStream && !rpc.responseStream) return client[method](message, this.metadata(), done);
      const call = rpc.requestStream ? client[method](this.metadata()) : client[method](message, this.metadata());
      const answers: unknown[] = [];
      call.on('data', (answer: unknown) => answers.push(answer));
      call.on('error', (error: ServiceError) => reject(withDetails(error)));
      call.on('end', () => resolve(answers));
      if (rpc.requestStream) {
        call.write(message);
        call.end();
      }
    });
  }

  /** An open stream. */
  stream(method: string, message?: object, service = 'arkitect.v1.TaskService'): Any {
    const client = this.client(service) as Any;
    return message ? client[method](message, this.metadata()) : client[method](this.metadata());
  }

  client(service: string): Client {
    let client = this.clients.get(service);
    if (!client) {
      const Service = service.split('.').reduce<Any>((scope, part) => scope[part], loadPackageDefinition(definition));
      client = new Service(this.address, this.channel) as Client;
      this.clients.set(service, client);
    }
    return client;
  }

  close(): void {
    for (const client of this.clients.values()) client.close();
  }

  private metadata(): Metadata {
    const metadata = new Metadata();
    for (const [name, value] of Object.entries(this.headers)) metadata.set(name, value);
    if (this.token) metadata.set('authorization', `Bearer ${this.token}`);
    return metadata;
  }
}

const root = protobuf.Root.fromJSON({
  nested: {
    Status: {
      fields: { code: { type: 'int32', id: 1 }, message: { type: 'string', id: 2 }, details: { rule: 'repeated', type: 'Any', id: 3 } },
    },
    Any: { fields: { type_url: { type: 'string', id: 1 }, value: { type: 'bytes', id: 2 } } },
    ErrorInfo: { fields: { reason: { type: 'string', id: 1 }, domain: { type: 'string', id: 2 } } },
    BadRequest: { fields: { field_violations: { rule: 'repeated', type: 'Violation', id: 1 } } },
    Violation: { fields: { field: { type: 'string', id: 1 }, description: { type: 'string', id: 2 } } },
  },
});

export function withDetails(error: ServiceError): RpcError {
  const [binary] = error.metadata?.get('grpc-status-details-bin') ?? [];
  const details: { type_url: string; value: Uint8Array }[] = binary
    ? (root.lookupType('Status').decode(binary as Buffer) as Any).details
    : [];
  const decode = (type: string): Any => {
    const found = details.find(({ type_url }) => type_url === `type.googleapis.com/google.rpc.${type}`);
    return found && root.lookupType(type).decode(found.value);
  };
  return Object.assign(error, {
    reason: decode('ErrorInfo')?.reason as string | undefined,
    fields: ((decode('BadRequest')?.field_violations ?? []) as { field: string; description: string }[]).map(({ field, description }) => ({
      field,
      description,
    })),
  });
}
