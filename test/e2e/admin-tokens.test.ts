import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { GrpcClient } from '../support/grpc.js';
import { expectProblem } from '../support/problem.js';
import { call, startTestServer, type TestServer } from '../support/server.js';
import { ask, closeSockets, connectSocket, heard, refusedSocket } from '../support/socket-client.js';
import { until } from '../support/until.js';

/* Two replicas with different tokens of their own: one of the environment, one of a generated file. */

const first = 'a-token-of-the-environment-0123456789';
const lines: string[] = [];
const log = { write: (line: string) => void lines.push(line) };
let directory: string;
let database: TestDatabase;
let a: TestServer;
let b: TestServer;
const startA = () => startTestServer({ ADMIN_TOKEN: first, LOG_LEVEL: 'trace', LOG_REQUESTS: 'all' }, database.url, { log });
const startB = () => startTestServer({ ADMIN_TOKEN: '', DATA_DIR: directory, LOG_LEVEL: 'trace' }, database.url, { log });
const file = () => join(directory, 'admin-token');
beforeAll(async () => {
  database = await createDatabase();
  directory = mkdtempSync(join(tmpdir(), 'arkitect-tokens-'));
  [a, b] = [await startA(), await startB()];
});
afterEach(closeSockets);
afterAll(async () => {
  await Promise.all([a, b].map((server) => server.close()));
  await database.drop();
  rmSync(directory, { recursive: true });
});

const as = (server: TestServer, token: string, method = 'GET', path = '/admin/actions', body?: object, headers = {}) =>
  call(server.url, method, path, body, { authorization: `Bearer ${token}`, ...headers });
const holds = async (server: TestServer, token: string) => (await as(server, token)).status === 200;
const rotate = async (server: TestServer, token: string, overlap_seconds: number, headers = {}) =>
  as(server, token, 'POST', '/admin/actions', { action: 'rotate_admin_token', parameters: { overlap_seconds } }, headers);

test(
  'a new token holds everywhere at once; those before go on for the overlap, and are then refused for ever',
  { timeout: 60_000 },
  async () => {
    const ofFile = readFileSync(file(), 'utf8').trim();
    expect([await holds(a, first), await holds(b, ofFile), await holds(b, first)]).toEqual([true, true, false]);

    const key = { 'idempotency-key': 'rotation-1' };
    const { status, body, headers } = await rotate(b, ofFile, 600, key);
    expect(status).toBe(200);
    expect(headers.get('cache-control')).toBe('no-store');
    const { token: second } = body.shown_once as { token: string };
    expect(second).toMatch(/^[\w-]{43}$/);
    expect(body.result).toMatchObject({ ending_tokens: 2, file_replaced: true });
    // Whoever reads the file goes on.
    expect(readFileSync(file(), 'utf8').trim()).toBe(second);
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    await until('it to hold on the other replica', () => holds(a, second));
    for (const [server, token] of [
      [a, first],
      [b, ofFile],
      [b, second],
    ] as const)
      expect(await holds(server, token)).toBe(true);

    // Shown once: neither a repetition nor the run says it again.
    const again = await rotate(b, second, 600, key);
    expect(again.body).toMatchObject({ id: body.id, shown_once: null });
    expect(again.headers.get('idempotency-replayed')).toBe('true');

    const socket = await connectSocket(`${a.url}/admin`, { auth: { token: first } });
    const kept = await connectSocket(`${a.url}/admin`, { auth: { token: second } });
    const gone = heard(socket, 'disconnect');
    const grpc = new GrpcClient(a.server.grpcAddress, first);
    const watch = grpc.call('WatchActions', {}, 'arkitect.v1.AdminService').catch((error: unknown) => error);
    const bearing = { authorization: `Bearer ${first}`, accept: 'text/event-stream' };
    const events = await fetch(`${a.url}/metrics/realtime`, { headers: bearing });
    const third = (await rotate(a, second, 1)).body.shown_once.token as string;
    // An end that is nearer counts, and one that is farther does not.
    await until('the tokens to end', async () => !(await holds(a, second)) && !(await holds(b, ofFile)) && !(await holds(a, first)));
    await gone;
    expect(await watch).toMatchObject({ reason: 'UNAUTHENTICATED' });
    grpc.close();
    // It ends.
    expect(await events.text()).toContain(': connected');
    await until('the other socket to be sent away', () => kept.disconnected);
    expectProblem(await as(a, first), 'UNAUTHENTICATED');
    expect((await refusedSocket(`${b.url}/admin`, { auth: { token: second } })).data).toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(await ask(await connectSocket(`${b.url}/admin`, { auth: { token: third } }), 'list_actions', { limit: 1 })).toHaveProperty(
      'items',
    );
    expect([await holds(a, third), await holds(b, third)]).toEqual([true, true]);

    // After a restart too, although the environment still holds it; the log says what to do.
    await a.close();
    a = await startA();
    expect([await holds(a, first), await holds(a, third)]).toEqual([false, true]);
    expect(lines.some((line) => line.includes('into ADMIN_TOKEN'))).toBe(true);
    await b.close();
    b = await startB();
    expect([await holds(b, ofFile), await holds(b, second), await holds(b, third)]).toEqual([false, false, true]);

    // No overlap at all.
    const fourth = (await rotate(b, third, 0)).body.shown_once.token as string;
    expect(await holds(b, third)).toBe(false);
    await until('it to be refused on the other replica', async () => !(await holds(a, third)));

    // Nowhere but in these answers.
    const tables = ['admin_actions', 'admin_tokens', 'events', 'idempotency_keys', 'config_versions', 'audit_log', 'log_lines'];
    const rows = await Promise.all(tables.map((table) => a.server.kernel.database.api.queryText(`SELECT t::text FROM ${table} t`)));
    const runs = (await as(a, fourth, 'GET', '/admin/actions/runs')).body;
    const said = JSON.stringify([rows, runs, lines]);
    for (const token of [first, ofFile, second, third, fourth]) expect(said.includes(token)).toBe(false);
  },
);
