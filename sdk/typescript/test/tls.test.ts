import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Client, type TlsOptions } from '../src/index.js';
import { startServer, type TestServer } from './support/server.js';
import { workerOf } from './support/worker.js';

const directory = mkdtempSync(join(tmpdir(), 'arkitect-tls-'));
const path = (name: string): string => join(directory, name);
const token = 'a-token-of-the-tests-0123456789';

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { cwd: directory, stdio: 'pipe' });
}

function sign(name: string, extension: string): void {
  writeFileSync(path(`${name}.ext`), extension);
  openssl('req', '-newkey', 'rsa:2048', '-nodes', '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
  openssl(
    'x509',
    '-req',
    '-in',
    `${name}.csr`,
    '-CA',
    'ca.crt',
    '-CAkey',
    'ca.key',
    '-CAcreateserial',
    '-days',
    '2',
    '-out',
    `${name}.crt`,
    '-extfile',
    `${name}.ext`,
  );
}

describe('TLS with certificates on both sides', () => {
  let server: TestServer;

  beforeAll(async () => {
    openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'ca.key', '-out', 'ca.crt', '-days', '2', '-subj', '/CN=test-ca');
    sign('server', 'subjectAltName=DNS:orchestrator.test,IP:127.0.0.1');
    sign('client', 'extendedKeyUsage=clientAuth');
    server = await startServer({
      ADMIN_TOKEN: token,
      AUTH_ANONYMOUS_ROLE: 'none',
      GRPC_TLS_CERT_FILE: path('server.crt'),
      GRPC_TLS_KEY_FILE: path('server.key'),
      GRPC_TLS_CLIENT_CA_FILE: path('ca.crt'),
    });
  });

  afterAll(async () => {
    await server?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  async function list(tls: TlsOptions | boolean, withToken = token, host = '127.0.0.1'): Promise<unknown> {
    const address = `https://${server.address.replace('127.0.0.1', host)}`;
    const client = new Client({ address, token: withToken, tls, timeoutSeconds: 5 });
    try {
      return (await client.list()).items;
    } catch (error) {
      return (error as { code: string }).code;
    } finally {
      client.close();
    }
  }

  test('lets in who has a certificate and the token', async () => {
    const tls = { ca: readFileSync(path('ca.crt')), cert: readFileSync(path('client.crt'), 'utf8'), key: readFileSync(path('client.key')) };
    expect(await list(tls)).toEqual([]);
    expect(await list({ ...tls, serverName: 'orchestrator.test' })).toEqual([]);
    expect(await list(tls, 'a-token-that-nobody-knows-01234')).toBe('UNAUTHENTICATED');
    const worker = workerOf(server, { tls, token }).handle('tls', () => 'ok');
    await worker.start();
    expect(worker.id).toMatch(/^test@/);
  });

  test('trusts no server that it does not know, and is not let in without a certificate', async () => {
    const tls = { ca: readFileSync(path('ca.crt')), cert: readFileSync(path('client.crt')), key: readFileSync(path('client.key')) };
    expect(await list(true)).toBe('UNAVAILABLE');
    expect(await list({ ca: tls.ca })).toBe('UNAVAILABLE');
    expect(await list({ ...tls, serverName: 'somebody.else' })).toBe('UNAVAILABLE');
    // The same server, by names that its certificate does not have.
    expect(await list(tls, token, 'localhost')).toBe('UNAVAILABLE');
    expect(await list(tls, token, '[::ffff:127.0.0.1]')).toBe('UNAVAILABLE');
  });
});
