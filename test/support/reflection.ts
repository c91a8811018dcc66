import { credentials, loadPackageDefinition, type ChannelCredentials } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { protoPath } from 'grpc-health-check';

// oxlint-disable-next-line typescript/no-explicit-any
type Any = any;

const require = createRequire(import.meta.url);
const reflectionProto = join(dirname(require.resolve('@grpc/reflection/package.json')), 'build/proto/grpc/reflection/v1/reflection.proto');

/** Asks as grpcurl would. */
export class ServerReflectionClient {
  private readonly client: Any;

  constructor(address: string, channel: ChannelCredentials) {
    const { grpc } = loadPackageDefinition(loadSync(reflectionProto, { keepCase: true })) as Any;
    this.client = new grpc.reflection.v1.ServerReflection(address, channel);
  }

  services(): Promise<string[]> {
    return new Promise((resolve, reject) => {
      const call = this.client.ServerReflectionInfo();
      call.on('data', (answer: Any) => {
        resolve(answer.list_services_response.service.map(({ name }: { name: string }) => name));
        call.end();
        this.client.close();
      });
      call.on('error', reject);
      call.write({ host: '', list_services: '*' });
    });
  }
}

export function checkHealth(address: string, service: string): Promise<string> {
  const { grpc } = loadPackageDefinition(loadSync(protoPath, { keepCase: true, enums: String })) as Any;
  const client = new grpc.health.v1.Health(address, credentials.createInsecure());
  return new Promise((resolve, reject) => {
    client.Check({ service }, (error: Error | null, answer: Any) => {
      client.close();
      if (error) reject(error);
      else resolve(answer.status);
    });
  });
}
