import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { credentials, status } from '@grpc/grpc-js';
import { afterEach, expect, test } from 'vitest';
import { loadSettings } from '../../src/settings.js';
import { GrpcClient } from '../support/grpc.js';
import { startTestServer, type TestServer } from '../support/server.js';

const path = (name: string) => join(import.meta.dirname, '../support/tls', name);
const pem = (name: string) => readFileSync(path(name));

let server: TestServer | undefined;
const clients: GrpcClient[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await server?.close();
  server = undefined;
});

function client(channel = credentials.createSsl(pem('ca.pem'))): GrpcClient {
  // By name: Node refuses to ask for an IP address by SNI.
  const address = server!.server.grpcAddress.replace('127.0.0.1', 'localhost');
  const created = new GrpcClient(address, server!.token, channel);
  clients.push(created);
  return created;
}

const tls = { GRPC_TLS_CERT_FILE: path('server.pem'), GRPC_TLS_KEY_FILE: path('server.key') };

test('with a certificate the port speaks TLS, and nothing else', async () => {
  server = await startTestServer(tls);
  expect(await client().call('ListTasks')).toEqual({});
  await expect(client(credentials.createInsecure()).call('ListTasks')).rejects.toMatchObject({ code: status.UNAVAILABLE });
});

test('with an authority for clients it wants their certificate', async () => {
  server = await startTestServer({ ...tls, GRPC_TLS_CLIENT_CA_FILE: path('ca.pem') });
  const withCertificate = credentials.createSsl(pem('ca.pem'), pem('client.key'), pem('client.pem'));
  expect(await client(withCertificate).call('ListTasks')).toEqual({});
  await expect(client().call('ListTasks')).rejects.toMatchObject({ code: status.UNAVAILABLE });
});

test('a file that cannot be read, and half of a pair, are said in a sentence', async () => {
  const missing = startTestServer({ ...tls, GRPC_TLS_CERT_FILE: '/no/such/file.pem' });
  await expect(missing).rejects.toThrow('GRPC_TLS_CERT_FILE names /no/such/file.pem, which cannot be read');
  expect(() => loadSettings({ GRPC_TLS_CERT_FILE: '/a.pem' }, '')).toThrow('GRPC_TLS_CERT_FILE and GRPC_TLS_KEY_FILE belong together');
  expect(() => loadSettings({ GRPC_TLS_CLIENT_CA_FILE: '/a.pem' }, '')).toThrow('GRPC_TLS_CLIENT_CA_FILE needs GRPC_TLS_CERT_FILE');
});

test('a port that is taken is said in a sentence', async () => {
  server = await startTestServer();
  const port = server.server.grpcAddress.split(':').at(-1)!;
  await expect(startTestServer({ GRPC_PORT: port })).rejects.toThrow(`The gRPC address 127.0.0.1:${port} is taken.`);
});
