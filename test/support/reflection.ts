import { credentials, loadPackageDefinition, type ChannelCredentials } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { protoPath } from 'grpc-health-check';
import * as descriptor from 'protobufjs/ext/descriptor/index.js';

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
    return this.ask({ list_services: '*' }, (answer) => answer.list_services_response.service.map(({ name }: Any) => name));
  }

  /** `TaskService/CreateTask`, of all services there are; those of others with their package. */
  async methods(): Promise<string[]> {
    const services = await this.services();
    const methods = await Promise.all(services.map((service) => this.methodsOf(service)));
    this.client.close();
    return methods.flat();
  }

  private async methodsOf(service: string): Promise<string[]> {
    const files: Buffer[] = await this.ask(
      { file_containing_symbol: service },
      (answer) => answer.file_descriptor_response.file_descriptor_proto,
    );
    const described = files
      .map((file) => descriptor.FileDescriptorProto.decode(file) as Any)
      .flatMap((file) => file.service.map((one: Any) => ({ name: `${file.package}.${one.name}`, methods: one.method })));
    const { methods } = described.find(({ name }) => name === service)!;
    return methods.map(({ name }: Any) => `${service.replace(/^arkitect\.v1\./, '')}/${name}`);
  }

  private ask<T>(question: object, read: (answer: Any) => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const call = this.client.ServerReflectionInfo();
      call.on('data', (answer: Any) => {
        resolve(read(answer));
        call.end();
      });
      call.on('error', reject);
      call.write({ host: '', ...question });
    });
  }

  close(): void {
    this.client.close();
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
