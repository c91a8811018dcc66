import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { until } from '../support/until.js';

let database: TestDatabase;
/** Takes requests, runs nothing. */
let a: TestServer;
/** Runs the work. */
let b: TestServer;
beforeAll(async () => {
  database = await createDatabase();
  a = await startTestServer({ RUNNER_SLOTS: '0' }, database.url);
  // A lease so long that only the wake-up, not the heartbeat, can tell of a cancel in time.
  b = await startTestServer({ RUNNER_SLOTS: '4', ENGINE_LEASE_SECONDS: '3600' }, database.url);
});
afterAll(async () => {
  await Promise.all([a.close(), b.close()]);
  await database.drop();
});

const sleeper = { name: 'long', type: 'sleep', parameters: { seconds: 3_600 }, timeout_seconds: 7_200, start: 'auto' };

test('a task created on A runs on B at once, and A can wait for its end', async () => {
  const answer = await a.api('POST', '/tasks?wait=30', { name: 'short', start: 'auto', parameters: { from: 'a' } });
  expect(answer).toMatchObject({ status: 201, body: { status: 'completed', result: { from: 'a' }, worker_id: b.server.kernel.replicaId } });
});

test('a cancel sent to A stops the attempt that runs on B', async () => {
  const { body: created } = await a.api('POST', '/tasks', sleeper);
  await until('the attempt to run', async () => (await a.api('GET', `/tasks/${created.id}`)).body.status === 'running');
  const { body: answer } = await a.api('POST', `/tasks/${created.id}/cancel`);
  expect(answer.status).toBe('cancelling');
  const ended = await until('the attempt to stop', async () => {
    const { body } = await a.api('GET', `/tasks/${created.id}`);
    return body.status === 'cancelled' && body;
  });
  expect(ended).toMatchObject({ worker_id: b.server.kernel.replicaId, error: null });
});

test('one of the replicas leads, and the other takes over when it goes', async () => {
  const c = await startTestServer({ RUNNER_SLOTS: '0' }, database.url);
  const leaders = () => [a, b, c].filter(({ server }) => server.kernel.leader.isLeader);
  expect(leaders()).toHaveLength(1);
  // A due task proves that the leader works, whoever it is.
  const due = await a.api('POST', '/tasks', { name: 'due', run_at: new Date(Date.now() + 1_200).toISOString() });
  expect(due.body.status).toBe('scheduled');
  await until('the scheduled task to run', async () => (await a.api('GET', `/tasks/${due.body.id}`)).body.status === 'completed');
  const [first] = leaders();
  await first!.server.kernel.leader.stop();
  await until('another leader', () => leaders().some((server) => server !== first));
  expect(leaders()).toHaveLength(1);
  await c.close();
});

test('work is shared: two runners never run the same task, and both run some', async () => {
  const c = await startTestServer({ RUNNER_SLOTS: '4' }, database.url);
  const tasks = Array.from({ length: 300 }, (_, index) => ({
    name: `shared ${index}`,
    type: 'sleep',
    parameters: { seconds: 0.02 },
    start: 'auto',
    labels: { batch: 'shared' },
  }));
  expect((await a.api('POST', '/tasks/bulk', { tasks })).status).toBe(201);
  await until(
    'all to be completed',
    async () => (await a.api('GET', '/tasks?label=batch=shared&status=pending,queued,running&limit=1')).body.items.length === 0,
  );
  const rows = await a.server.kernel.database.api.queryText<{ worker_id: string; count: number; most: number }>(
    "SELECT worker_id, count(*) AS count, max(attempt) AS most FROM tasks WHERE labels->>'batch' = 'shared' GROUP BY worker_id",
  );
  expect(rows.map((row) => row.worker_id).toSorted()).toEqual([b, c].map((server) => server.server.kernel.replicaId).toSorted());
  expect(rows.map((row) => row.most)).toEqual([1, 1]);
  await c.close();
});
