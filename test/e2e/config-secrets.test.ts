import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { definitionOf, settingKeys } from '../../src/settings.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { GrpcClient } from '../support/grpc.js';
import { call, startTestServer, type TestServer } from '../support/server.js';
import { ask, closeSockets, connectSocket } from '../support/socket-client.js';
import { until } from '../support/until.js';

/* A canary in every secret setting: no answer, error, event or line of the log may hold it. */

const canary = () => `canary${randomBytes(12).toString('hex')}`;
const canaries = {
  database: canary(),
  redis: canary(),
  token: canary(),
  headers: canary(),
  traceHeaders: canary(),
  sent: canary(),
  channel: canary(),
  task: canary(),
};
const lines: string[] = [];
let database: TestDatabase;
let directory: string;
let envFile: string;
let server: TestServer;

beforeAll(async () => {
  database = await createDatabase();
  const url = new URL(database.url);
  url.password ||= canaries.database;
  canaries.database = url.password;
  directory = mkdtempSync(join(tmpdir(), 'arkitect-secrets-'));
  envFile = join(directory, '.env');
  const secrets = {
    DATABASE_URL: url.href,
    // Nobody is there: what is said of that must not say how to get in.
    REDIS_URL: `redis://:${canaries.redis}@127.0.0.1:1`,
    ADMIN_TOKEN: canaries.token,
    OTEL_EXPORTER_OTLP_HEADERS: `x-key=${canaries.headers}`,
    OTEL_EXPORTER_OTLP_TRACES_HEADERS: `x-key=${canaries.traceHeaders}`,
  };
  expect(Object.keys(secrets).toSorted()).toEqual(settingKeys.filter((key) => definitionOf(key).secret).toSorted());
  const log = { write: (line: string) => void lines.push(line) };
  server = await startTestServer({ ...secrets, LOG_LEVEL: 'trace', LOG_REQUESTS: 'all' }, url.href, { envFile, log });
});
afterEach(closeSockets);
afterAll(async () => {
  await server.close();
  await database.drop();
  rmSync(directory, { recursive: true });
});

function expectNoCanary(what: string, text: unknown): void {
  const said = typeof text === 'string' ? text : JSON.stringify(text);
  for (const [name, value] of Object.entries(canaries)) expect(said.includes(value), `${what} holds the canary of ${name}`).toBe(false);
}

test('answers of REST mask secrets, and say that there are some', async () => {
  const { body } = await server.api('GET', '/config');
  for (const key of ['DATABASE_URL', 'REDIS_URL', 'ADMIN_TOKEN', 'OTEL_EXPORTER_OTLP_HEADERS']) {
    const setting = body.settings.find((candidate: { key: string }) => candidate.key === key);
    expect(setting).toMatchObject({ value: null, has_value: true, secret: true, running_value: null, source: 'environment' });
  }
  expectNoCanary('GET /config', body);
  for (const path of ['/config/schema', '/config/history', '/health/ready', '/metrics', '/metrics/prometheus', '/openapi.json'])
    expectNoCanary(path, (await server.api('GET', path)).body);
});

test('errors do not repeat what was sent for a secret, nor for another setting', async () => {
  for (const key of settingKeys) {
    const { body } = await server.api('POST', '/config', { changes: { [key]: ` ${canaries.sent}://\u0000` }, dry_run: true });
    expectNoCanary(`POST /config of ${key}`, body);
  }
  const wrong = await call(server.url, 'POST', '/config', { changes: {} }, { authorization: `Bearer ${canaries.sent}` });
  expectNoCanary('a wrong token', wrong.body);
});

test('the other doors, and events, mask them as well', async () => {
  const socket = await connectSocket(`${server.url}/config`, { auth: { token: canaries.token } });
  await ask(socket, 'subscribe', {});
  const heard: unknown[] = [];
  socket.on('config_updated', (event) => heard.push(event));
  expectNoCanary('get', await ask(socket, 'get', {}));
  expectNoCanary('set', await ask(socket, 'set', { changes: { DATABASE_URL: canaries.sent } }));
  await ask(socket, 'set', { changes: { RUNNER_SLOTS: 3 } });
  await until('the event', () => heard.length > 0);
  expectNoCanary('config_updated', heard);
  const grpc = new GrpcClient(server.server.grpcAddress, canaries.token);
  expectNoCanary('GetConfig', await grpc.call('GetConfig', {}, 'arkitect.v1.ConfigService'));
  grpc.close();
});

test('a diagnostics bundle holds none, nor do runs of actions and what is told of them', async () => {
  // Doors show where a channel sends to, and the audit log does; a bundle goes to others.
  const address = canary();
  const spec = { url: `https://example.com/${address}`, secret: canaries.channel };
  expect((await server.api('POST', '/alerts/channels', { name: 'secret', kind: 'webhook', spec })).status).toBe(201);
  const carried = { name: canaries.task, parameters: { a: canaries.task }, labels: { a: canaries.task } };
  expect((await server.api('POST', '/tasks', carried)).status).toBe(201);
  const socket = await connectSocket(`${server.url}/admin`, { auth: { token: canaries.token } });
  await ask(socket, 'subscribe_actions', {});
  const heard: { run: { status: string } }[] = [];
  socket.on('admin_action', (event) => heard.push(event));
  const { body: started } = await server.api('POST', '/admin/actions', { action: 'diagnostics' });
  await until('its end to be told', () => heard.some(({ run }) => run.status === 'completed'));
  const { name, data } = await ask(socket, 'download_action', { id: started.id });
  expect(name).toContain('diagnostics-');
  const bundle = gunzipSync(data as Buffer).toString();
  const { settings, missing, tables } = JSON.parse(bundle);
  expect(missing).toEqual([]);
  expect(settings.find(({ key }: { key: string }) => key === 'DATABASE_URL')).toMatchObject({ value: null, has_value: true });
  expect(tables.some((table: { name: string }) => table.name === 'tasks')).toBe(true);
  expectNoCanary('the bundle', bundle);
  expect(bundle).not.toContain(address);
  expectNoCanary('events of actions', heard);
  const admin = [
    'actions',
    'actions/runs',
    `actions/${started.id}`,
    'audit?limit=200',
    'audit/export',
    'logs?limit=200',
    'system',
    'health',
  ];
  for (const path of admin) expectNoCanary(path, (await server.api('GET', `/admin/${path}`)).body);
  expect((await server.api('GET', '/admin/audit?operation=alerts.channels.manage')).body.items).toHaveLength(1);
  expectNoCanary(
    'a wrong token of a dry run',
    (await server.api('POST', '/admin/actions', { action: 'purge_tasks', parameters: { status: ['failed'] }, confirm: canaries.sent }))
      .body,
  );
  const grpc = new GrpcClient(server.server.grpcAddress, canaries.token);
  expectNoCanary('ListActions', await grpc.call('ListActions', {}, 'arkitect.v1.AdminService'));
  grpc.close();
  expectNoCanary('the log', lines.join(''));
});

test('the log holds none, whatever .env says', async () => {
  writeFileSync(envFile, `DATABASE_URL=${canaries.sent}\nADMIN_TOKEN=short ${canaries.sent}\nTASKS_RETENTION_DAYS=never\n`);
  await until('the edit to be noticed', () => lines.some((line) => line.includes('is not taken')));
  expectNoCanary('/health/ready', (await server.api('GET', '/health/ready')).body);
  expect(lines.length).toBeGreaterThan(10);
  expectNoCanary('the log', lines.join(''));
});
