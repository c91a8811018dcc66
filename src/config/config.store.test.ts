import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTestDatabase } from '../../test/support/database.js';
import { ConfigStore, type DraftVersion } from './config.store.js';

let open: Awaited<ReturnType<typeof openTestDatabase>>;
let store: ConfigStore;
beforeAll(async () => {
  open = await openTestDatabase();
  store = new ConfigStore(open.database);
});
afterAll(() => open.close());

const sql = (text: string) => open.database.api.queryText<{ count: number }>(text);
const draft: DraftVersion = {
  changes: {},
  overrides: {},
  reason: null,
  by: 'me',
  expires_at: null,
  reverted_from: null,
  rolled_back_to: null,
  event: { by: 'me', changes: [] },
};

test('a change that throws, or that is none, leaves nothing behind', async () => {
  const change = store.change(async () => {
    throw new Error('no');
  });
  await expect(change).rejects.toThrow('no');
  expect(await store.change(async () => undefined)).toBeUndefined();
  expect(await store.current()).toEqual({ version: 0, overrides: {} });
});

test('changes at the same time come one after the other, each with its event', async () => {
  const made = await Promise.all(Array.from({ length: 8 }, () => store.change(async () => draft)));
  expect(made.map((version) => version!.version).toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  expect(await sql(`SELECT count(*) AS count FROM events WHERE action = 'config_updated'`)).toEqual([{ count: 8 }]);
});

test('a replica applies a version since it has acknowledged it, or a later one', async () => {
  await Promise.all(['a', 'b', 'c'].map((replica) => store.beat(replica)));
  await store.acknowledge('a', 7, [], []);
  await store.acknowledge('a', 8, ['HOST'], []);
  await store.acknowledge('b', 5, [], ['RUNNER_SLOTS']);
  const ofSix = await store.acknowledgements(6);
  expect(ofSix).toMatchObject([
    { replica_id: 'a', applied_at: expect.stringMatching(/Z$/) as string, version: 8, restart_keys: ['HOST'] },
    { replica_id: 'b', applied_at: null, version: 5, refused_keys: ['RUNNER_SLOTS'] },
    { replica_id: 'c', applied_at: null, version: null },
  ]);
  expect(await store.beat('a')).toMatchObject({ version: 8, acknowledged: 8 });
  await store.leave('c');
  await sql(`UPDATE config_replicas SET seen_at = now() - interval '50 seconds' WHERE replica_id = 'b'`);
  expect((await store.acknowledgements(6)).map(({ replica_id }) => replica_id)).toEqual(['a']);
});

test('the newest 10,000 versions are kept, and replicas for a quarter of an hour', async () => {
  await sql(`INSERT INTO config_versions (version, changes, overrides, by) SELECT n, '{}', '{}', 'me' FROM generate_series(9, 10020) n`);
  await sql(`UPDATE config_replicas SET seen_at = now() - interval '16 minutes' WHERE replica_id = 'b'`);
  await store.prune();
  expect((await store.list(30, 30)).at(-1)).toMatchObject({ version: 20 });
  expect(await sql('SELECT count(*) AS count FROM config_replicas')).toEqual([{ count: 1 }]);
  // What a replica applies now stays, however old it is.
  expect((await store.beat('a')).acknowledged).toBe(8);
});
