import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { expectProblem } from '../support/problem.js';
import { startTestServer, type Answer, type TestServer } from '../support/server.js';
import { closeSockets } from '../support/socket-client.js';
import { until } from '../support/until.js';

let database: TestDatabase;
let a: TestServer;
let b: TestServer;
beforeAll(async () => {
  database = await createDatabase();
  const start = () => startTestServer({ ADMIN_TOKEN: 'a-token-of-the-tests-0123456789', ENGINE_SHUTDOWN_SECONDS: '1' }, database.url);
  [a, b] = [await start(), await start()];
});
afterEach(closeSockets);
afterAll(async () => {
  await Promise.all([a, b].map((server) => server.close()));
  await database.drop();
});

// What a test reads from an answer is checked by its assertions.
// oxlint-disable-next-line typescript/no-explicit-any
type Any = any;

const run = (action: string, parameters: object = {}, rest: object = {}, headers: Record<string, string> = {}, at = a): Promise<Answer> =>
  at.api('POST', '/admin/actions', { action, parameters, ...rest }, headers);
const done = async (action: string, parameters: object = {}, rest: object = {}) => {
  const { status, body } = await run(action, parameters, rest);
  expect(status, JSON.stringify(body)).toBeLessThan(203);
  return ended(body.id);
};
const ended = (id: string, at = a): Promise<Any> =>
  until(`run ${id} to end`, async () => {
    const { body } = await at.api('GET', `/admin/actions/${id}`);
    return body.finished_at !== null && body;
  });
const create = async (fields: object = {}, at = a) => (await at.api('POST', '/tasks', { name: 'a task', ...fields })).body as Any;
const statusOf = async (id: string) => (await a.api('GET', `/tasks/${id}`)).body.status as string;
const replicaOf = (server: TestServer) => server.server.kernel.replicaId;

test('all actions are described', async () => {
  const { body } = await a.api('GET', '/admin/actions');
  expect(body.items.map(({ action }: Any) => action).toSorted()).toEqual(
    [
      'pause_all',
      'resume_all',
      'maintenance_on',
      'maintenance_off',
      'set_log_level',
      'reload_config',
      'drain_replica',
      'resume_replica',
      'clear_cache',
      'purge_tasks',
      'vacuum',
      'reindex',
      'run_retention',
      'requeue_expired',
      'rotate_admin_token',
      'heap_snapshot',
      'cpu_profile',
      'diagnostics',
    ].toSorted(),
  );
  const purge = body.items.find(({ action }: Any) => action === 'purge_tasks');
  expect(purge).toMatchObject({ danger: 'destructive', role: 'admin', dry_run: true, confirm: true, job: true });
  expect(purge.parameters).toMatchObject({ required: ['status'], additionalProperties: false, properties: { finished_before: { format: 'date-time' } } });
});

describe('pausing', () => {
  test('keeps queued tasks from beginning on every replica until they are resumed', async () => {
    const dry = await run('pause_all', {}, { dry_run: true });
    expect(dry.body).toMatchObject({ status: 'completed', dry_run: true, result: { effects: [{ key: 'CLAIMS_PAUSED', to: true }] } });
    expect(a.server.kernel.settings.CLAIMS_PAUSED).toBe(false);
    const paused = await run('pause_all', { reason: 'a test' });
    expect(paused.status).toBe(200);
    expect(paused.body).toMatchObject({ status: 'completed', progress: 100, created_by: 'root', result: { complete: true, changes: [{ key: 'CLAIMS_PAUSED' }] } });
    expect(paused.body.request_id).toBe(paused.headers.get('x-request-id'));
    const waiting = await create({ start: 'auto' });
    const elsewhere = await create({ start: 'auto' }, b);
    for (const { kernel } of [a.server, b.server])
      expect(await kernel.engine.claim({ worker_ids: ['w'], types: ['echo'], limit: 9, lease_seconds: 9 })).toEqual([]);
    expect([await statusOf(waiting.id), await statusOf(elsewhere.id)]).toEqual(['queued', 'queued']);
    await done('resume_all');
    for (const { id } of [waiting, elsewhere]) await until('it to run', async () => (await statusOf(id)) === 'completed');
    // Nothing is left that would hide what .env says.
    expect((await a.api('GET', '/config')).body.settings.find(({ key }: Any) => key === 'CLAIMS_PAUSED').source).toBe('default');
  });
});
