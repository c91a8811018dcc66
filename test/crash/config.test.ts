import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { call } from '../support/server.js';
import { buildServer, spawnServer, testToken, type ServerProcess } from '../support/server-process.js';
import { until } from '../support/until.js';

let database: TestDatabase;
const running: ServerProcess[] = [];
beforeAll(async () => {
  buildServer();
  database = await createDatabase();
}, 180_000);
afterAll(async () => {
  await Promise.all(running.map((server) => server.kill()));
  await database.drop();
});

async function start(): Promise<ServerProcess> {
  const server = await spawnServer({
    DATABASE_URL: database.url,
    ...(process.env.TEST_REDIS_URL && { REDIS_URL: process.env.TEST_REDIS_URL }),
  });
  running.push(server);
  return server;
}
const api = (server: ServerProcess, method: string, path: string, body?: unknown) =>
  call(server.url, method, path, body, { authorization: `Bearer ${testToken}` });
const set = async (server: ServerProcess, changes: object, rest: object = {}) =>
  (await api(server, 'POST', '/config', { changes, ...rest })).body.version as number;

test('a replica that is killed in the middle of changes comes back with the right version', async () => {
  const [a, b] = [await start(), await start()];
  const changes: Promise<number>[] = [];
  for (let index = 0; index < 10; index++) changes.push(set(a, { TASKS_DEFAULT_TYPE: `type-${index}` }, { reason: randomUUID() }));
  await b.kill();
  const last = Math.max(...(await Promise.all(changes)));
  const again = await start();
  const { body } = await api(again, 'GET', '/config');
  expect(body.version).toBe(last);
  const { body: made } = await api(a, 'GET', `/config/versions/${last}`);
  const value = body.settings.find(({ key }: { key: string }) => key === 'TASKS_DEFAULT_TYPE').value;
  expect(value).toBe(made.overrides.TASKS_DEFAULT_TYPE);
  // The dead one is in the list until it is taken for gone; the new one applies the version.
  await until('the new replica to acknowledge', async () => {
    const { replicas } = (await api(a, 'GET', `/config/versions/${last}`)).body as {
      replicas: { replica_id: string; applied_at: string | null }[];
    };
    return replicas.find(({ replica_id }) => replica_id === body.replica_id)?.applied_at;
  });
});

test('a time-boxed change ends although every replica was killed meanwhile', async () => {
  const before = await start();
  const boxed = await set(before, { TASKS_DEFAULT_TYPE: 'boxed' }, { expires_in_seconds: 2 });
  await Promise.all(running.splice(0).map((server) => server.kill()));
  const after = await start();
  const item = await until('it to be taken back', async () => {
    const { body } = await api(after, 'GET', '/config/history?limit=1');
    return body.items[0].by === 'clock' && body.items[0];
  });
  expect(item).toMatchObject({ reverted_from: boxed });
  expect(item.changes[0].from).toBe('boxed');
});
