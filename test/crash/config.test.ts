import { afterAll, beforeAll, expect, test } from 'vitest';
import { cliFor } from '../support/cli.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { call } from '../support/server.js';
import { buildServer, spawnServer, testToken, type ServerProcess } from '../support/server-process.js';
import { until } from '../support/until.js';

interface Applied {
  overrides: Record<string, unknown>;
  replicas: { replica_id: string; applied_at: string | null }[];
  complete: boolean;
}

const key = 'TASKS_DEFAULT_TYPE';
let database: TestDatabase;
const running: ServerProcess[] = [];
beforeAll(async () => {
  buildServer();
  database = await createDatabase();
  // Four replicas as processes of their own.
  await startAll();
}, 180_000);
afterAll(async () => {
  await killAll();
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
const startAll = () => Promise.all([1, 2, 3, 4].map(start));
const killAll = () => Promise.all(running.splice(0).map((server) => server.kill()));

const api = (server: ServerProcess, method: string, path: string, body?: unknown) =>
  call(server.url, method, path, body, { authorization: `Bearer ${testToken}` });
const applied = async (server: ServerProcess, version: number) => (await api(server, 'GET', `/config/versions/${version}`)).body as Applied;
/** What a replica says of itself. */
async function stateOf(server: ServerProcess): Promise<{ replica_id: string; version: number; value: unknown }> {
  const { version, replica_id, settings } = (await api(server, 'GET', '/config')).body;
  return { version, replica_id, value: settings.find((setting: { key: string }) => setting.key === key).value };
}

test('a replica that is killed in the middle of changes comes back with the last version', async () => {
  const [victim, ...others] = running.splice(0) as [ServerProcess, ...ServerProcess[]];
  running.push(...others);
  const { replica_id: dead } = await stateOf(victim);
  // Changes come in through every replica until the one is gone, and a little on.
  const committed: number[] = [];
  let killed = false;
  const change = async (server: ServerProcess, value: string) => {
    const answer = await api(server, 'POST', '/config', { changes: { [key]: value } }).catch(() => undefined);
    if (answer?.status === 200) committed.push(answer.body.version as number);
  };
  const streams = [victim, ...others].map(async (server, stream) => {
    for (let index = 0, left = 5; left > 0; index++) {
      if (killed) left--;
      await change(server, `type-${stream}-${index}`);
    }
  });
  await until('changes to be under way', () => committed.length >= 20);
  await victim.kill();
  killed = true;
  await Promise.all(streams);

  const again = await start();
  // A change whose answer died with the replica may have come in after all.
  const { version: last } = (await api(others[0]!, 'GET', '/config/history?limit=1')).body.items[0] as { version: number };
  expect(last).toBeGreaterThanOrEqual(Math.max(...committed));
  const value = (await applied(again, last)).overrides[key];
  const { replica_id } = await stateOf(again);
  // The dead one is in the list until it is taken for gone.
  const waiting = await until('all that live to acknowledge', async () => {
    const { replicas } = await applied(again, last);
    const missing = replicas.filter(({ applied_at }) => applied_at === null).map((replica) => replica.replica_id);
    return missing.every((id) => id === dead) && replicas.some((replica) => replica.replica_id === replica_id) && { missing, replicas };
  });
  expect(waiting).toMatchObject({ missing: [dead], replicas: { length: 5 } });
  for (const server of [again, ...others]) expect(await stateOf(server)).toMatchObject({ version: last, value });

  const cli = cliFor({ ARKITECT_URL: again.url, ARKITECT_TOKEN: testToken });
  const { code, stdout, stderr } = await cli('config', 'version', String(last), '--wait', '1', '--output', 'ndjson');
  expect({ code, stdout: JSON.parse(stdout) as unknown }).toMatchObject({ code: 4, stdout: { version: last, complete: false } });
  expect(JSON.parse(stderr)).toMatchObject({
    code: 'NOT_IN_TIME',
    detail: expect.stringContaining(`version ${last} is not applied by ${dead}.`),
  });
});

test('a time-boxed change ends although every replica was killed and started again meanwhile', async () => {
  const [before] = running as [ServerProcess];
  await api(before, 'POST', '/config', { changes: { [key]: 'lasting' } });
  const { body } = await api(before, 'POST', '/config', { changes: { [key]: 'boxed' }, expires_in_seconds: 4 });
  const boxed = body.version as number;
  await until('the change to be applied', async () => (await Promise.all(running.map(stateOf))).every(({ value }) => value === 'boxed'));
  await killAll();
  await startAll();
  const [item] = await until('it to be taken back', async () => {
    const { items } = (await api(running[0]!, 'GET', '/config/history?limit=1')).body;
    return items[0].by === 'clock' && items;
  });
  expect(item).toMatchObject({ version: boxed + 1, reverted_from: boxed, changes: [{ key, from: 'boxed', to: 'lasting' }] });
  await until('every replica to apply it', async () => {
    const states = await Promise.all(running.map(stateOf));
    return states.every(({ version, value }) => version === boxed + 1 && value === 'lasting');
  });
});
