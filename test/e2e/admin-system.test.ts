import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, inject, test } from 'vitest';
import { readMigrations } from '../../src/database/migrate.js';
import { serverVersion } from '../../src/version.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { GrpcClient } from '../support/grpc.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { ask, closeSockets, connectSocket } from '../support/socket-client.js';
import { until } from '../support/until.js';

interface Replica {
  replica_id: string;
  role: string;
}

const service = 'arkitect.v1.AdminService';
let database: TestDatabase;
let one: TestServer;
let two: TestServer;
let grpc: GrpcClient;

beforeAll(async () => {
  database = await createDatabase();
  one = await startTestServer({ LOG_LEVEL: 'silent', ADMIN_TOKEN: 'a-token-of-the-system-tests', RUNNER_SLOTS: '3' }, database.url);
  two = await startTestServer({ LOG_LEVEL: 'silent', ADMIN_TOKEN: 'a-token-of-the-system-tests' }, database.url);
  grpc = new GrpcClient(two.server.grpcAddress, two.token);
});
afterEach(closeSockets);
afterAll(async () => {
  grpc?.close();
  await Promise.all([one?.close(), two?.close()]);
  await database?.drop();
});

const idOf = ({ server }: TestServer) => server.kernel.replicaId;

test('the system tells of itself, of what it stands on, and of every replica of the cluster', async () => {
  const { body } = await one.api('GET', '/admin/system');
  const known = readMigrations().length;
  expect(body).toMatchObject({
    replica_id: idOf(one),
    version: serverVersion,
    node_version: process.versions.node,
    process: { pid: process.pid, slots: 3, running: 0 },
    host: { platform: process.platform, cpus: expect.any(Number), load: [expect.any(Number), expect.any(Number), expect.any(Number)] },
    database: { embedded: false, version: expect.stringMatching(/^\d+/), max_connections: expect.any(Number) },
    migrations: { known, applied: known },
    leader: idOf(one),
    logs: { stored: 0, left_out: 0, waiting: 0, failing: false },
  });
  expect(body.database.size_bytes).toBeGreaterThan(1_000_000);
  expect(body.database.tables.map(({ name }: { name: string }) => name)).toContain('log_lines');
  expect(body.migrations.items).toHaveLength(known);
  expect(body.pools.map(({ name }: { name: string }) => name)).toEqual(['api', 'engine', 'loops']);
  expect(body.handlers.map(({ type }: { type: string }) => type)).toEqual(['echo', 'sleep', 'http.request']);
  const replicas: Replica[] = body.replicas;
  expect(Object.fromEntries(replicas.map(({ replica_id, role }) => [replica_id, role]))).toEqual({
    [idOf(one)]: 'leader',
    [idOf(two)]: 'follower',
  });
  for (const replica of replicas)
    expect(replica).toMatchObject({ version: serverVersion, pid: process.pid, started_at: expect.any(String), config_version: 0 });
});

test('its twins on Socket.IO and gRPC say the same of the cluster', async () => {
  const socket = await connectSocket(`${one.url}/admin`, { auth: { token: one.token } });
  const message = await ask(socket, 'system', {});
  expect(message).toMatchObject({ replica_id: idOf(one), leader: idOf(one) });
  const answer = await grpc.call('GetSystem', {}, service);
  expect(answer).toMatchObject({ replica_id: idOf(two), leader: idOf(one), process: { pid: process.pid }, logs: { failing: false } });
  expect(answer.replicas.map(({ replica_id }: Replica) => replica_id)).toEqual(
    message.replicas.map(({ replica_id }: Replica) => replica_id),
  );
  expect(await ask(socket, 'health', {})).toMatchObject({ replica_id: idOf(one) });
  expect(await grpc.call('GetHealth', {}, service)).toMatchObject({ replica_id: idOf(two) });
});

test('health names every dependency with latency and reason, also while the database is away', async () => {
  const { body } = await one.api('GET', '/admin/health');
  const names = ['lifecycle', 'event_loop', 'database', 'migrations', 'wake_ups', 'config'];
  expect(body.dependencies.map(({ name }: { name: string }) => name)).toEqual(expect.arrayContaining(names));
  for (const dependency of body.dependencies)
    expect(dependency).toMatchObject({ status: expect.stringMatching(/^(up|degraded)$/), latency_ms: expect.any(Number) });

  const admin = new pg.Client({ connectionString: inject('postgresUrl') });
  await admin.connect();
  try {
    await admin.query(`ALTER DATABASE ${database.name} ALLOW_CONNECTIONS false`);
    await admin.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${database.name}'`);
    const away = await until('the outage to be seen', async () => {
      const { status, body } = await one.api('GET', '/admin/health');
      return status === 200 && body.status === 'down' && body.dependencies.find(({ name }: { name: string }) => name === 'database');
    });
    expect(away).toMatchObject({ status: 'down', reason: expect.stringMatching(/not currently accepting|terminating/) });
    expect((await one.api('GET', '/admin/system')).status).toBeGreaterThanOrEqual(500);
  } finally {
    await admin.query(`ALTER DATABASE ${database.name} ALLOW_CONNECTIONS true`);
    await admin.end();
  }
  await until('a leader again', async () => {
    const { status, body } = await two.api('GET', '/admin/system');
    return status === 200 && body.leader !== null && body.replicas.length === 2;
  });
});

test('a leader that goes is followed by another', async () => {
  await one.close();
  await until('the other to lead', async () => {
    const { body } = await two.api('GET', '/admin/system');
    return body.leader === idOf(two) && body.replicas.length === 1;
  });
});
