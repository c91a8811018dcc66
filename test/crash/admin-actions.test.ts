import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { buildServer, spawnServer, testToken, type ServerProcess } from '../support/server-process.js';
import { until } from '../support/until.js';

/* A replica as a process of its own, which another one has do things. */

let database: TestDatabase;
let here: TestServer;
let there: ServerProcess;
let replica_id: string;
beforeAll(async () => {
  buildServer();
  database = await createDatabase();
  here = await startTestServer({ ADMIN_TOKEN: testToken, RUNNER_SLOTS: '0' }, database.url);
  const redis = process.env.TEST_REDIS_URL;
  there = await spawnServer({ DATABASE_URL: database.url, ...(redis && { REDIS_URL: redis }) });
  const { result } = await end((await run('reload_config')).id);
  replica_id = result.replicas.map((replica: { replica_id: string }) => replica.replica_id).find(isAnother)!;
}, 180_000);
afterAll(async () => {
  await there.kill();
  await here.close();
  await database.drop();
});

const isAnother = (id: string) => id !== here.server.kernel.replicaId;
const run = async (action: string, parameters: object = {}) => (await here.api('POST', '/admin/actions', { action, parameters })).body;
const read = async (id: string) => (await here.api('GET', `/admin/actions/${id}`)).body;
const end = (id: string) =>
  until(`run ${id} to end`, async () => {
    const found = await read(id);
    return found.finished_at !== null && found;
  });

test('a heap snapshot of another replica is one, and is downloaded from this one', async () => {
  const { id } = await run('heap_snapshot', { replica_id });
  const taken = await end(id);
  expect(taken).toMatchObject({ status: 'completed', replica_id, file_name: `${replica_id}.heapsnapshot.gz` });
  const response = await fetch(`${here.url}/admin/actions/${id}/file`, { headers: { authorization: `Bearer ${testToken}` } });
  const snapshot = gunzipSync(Buffer.from(await response.arrayBuffer()));
  expect(snapshot.length).toBeGreaterThan(5_000_000);
  expect(snapshot.subarray(0, 20).toString()).toBe('{"snapshot":{"meta":');
  expect(snapshot.at(-1)).toBe('}'.charCodeAt(0));
});

test('what a replica was doing when it was killed ends as failed, by the leader', async () => {
  const profile = await run('cpu_profile', { replica_id, seconds: 60 });
  await until('it to run', async () => (await read(profile.id)).status === 'running');
  await there.kill();
  // It has still to be taken for gone, so it is asked once more.
  const every = run('clear_cache');
  await until(
    'the other part',
    async () => (await sql<{ count: number }>("SELECT count(*) AS count FROM admin_actions WHERE action = 'clear_cache'"))[0]?.count === 3,
  );
  await sql(`UPDATE config_replicas SET seen_at = now() - interval '1 minute' WHERE replica_id = '${replica_id}'`);
  here.server.kernel.wakeUps.signal('admin_actions');
  const failed = await end(profile.id);
  expect(failed).toMatchObject({ status: 'failed', error: { code: 'UNAVAILABLE', message: expect.stringContaining(replica_id) } });
  const parts = await end((await every).id);
  expect(parts).toMatchObject({ status: 'failed', error: { code: 'UNAVAILABLE' } });
  expect(parts.result.replicas.map(({ status }: { status: string }) => status).toSorted()).toEqual(['completed', 'failed']);
  expect((await here.api('POST', '/admin/actions', { action: 'resume_replica', parameters: { replica_id } })).status).toBe(404);
});

function sql<Row>(text: string): Promise<Row[]> {
  return here.server.kernel.database.api.queryText<Row>(text);
}
