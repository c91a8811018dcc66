import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { createDatabase } from '../support/database.js';
import { startHttpSink, type HttpSink } from '../support/http-sink.js';
import { call } from '../support/server.js';
import { buildServer, spawnServer, testToken, type ServerProcess } from '../support/server-process.js';
import { until } from '../support/until.js';

/*
 * kill -9 of the replica that leads while alerts begin, and of the next one while they end. Every acknowledged beginning and end is told; a
 * repetition is of the same notification, as at-least-once delivery allows.
 */

const authorization = { authorization: `Bearer ${testToken}` };
const perServer = 40;
let sink: HttpSink;

beforeAll(async () => {
  buildServer();
  sink = await startHttpSink();
});
afterAll(() => sink.close());

/** Does it on both at once, until the first one is gone; kills that when half is done. Answers what was acknowledged. */
async function whileKilling<T, Item>(
  [dying, other]: [ServerProcess, ServerProcess],
  items: Item[],
  work: (server: ServerProcess, item: Item) => Promise<T | undefined>,
): Promise<T[]> {
  const done: T[] = [];
  let killed: Promise<void> | undefined;
  const queue = [...items];
  const run = async (server: ServerProcess) => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
      const answer = await work(server, item).catch(() => undefined);
      if (answer === undefined && server === dying) return;
      if (answer !== undefined) done.push(answer);
      if (done.length >= items.length / 2) killed ??= dying.kill();
    }
  };
  await Promise.all([run(dying), run(dying), run(other), run(other)]);
  await killed;
  return done;
}

/** Ids of the notifications that told so of each alert. */
function heard(status: 'firing' | 'resolved'): Map<string, Set<string>> {
  const ids = new Map<string, Set<string>>();
  for (const { body } of sink.received) {
    const told = JSON.parse(body) as { id: string; status: string; alerts: { id: string }[] };
    if (told.status !== status) continue;
    for (const { id } of told.alerts) ids.set(id, (ids.get(id) ?? new Set()).add(told.id));
  }
  return ids;
}

async function untilAllHeard(ids: string[], status: 'firing' | 'resolved'): Promise<void> {
  await until(`${ids.length} alerts are told as ${status}`, () => ids.every((id) => heard(status).has(id)), 150_000);
  expect([...heard(status).values()].filter((notifications) => notifications.size > 1)).toEqual([]);
}

test('a killed leader loses no beginning and no end of an alert, and tells none twice', { timeout: 400_000 }, async () => {
  const database = await createDatabase();
  const settings = { DATABASE_URL: database.url, HTTP_ALLOW_HOSTS: '127.0.0.1', REDIS_URL: '' };
  const [a, b, c] = [await spawnServer(settings), await spawnServer(settings), await spawnServer(settings)];
  onTestFinished(async () => {
    await Promise.all([a, b, c].map((server) => server.kill().catch(() => undefined)));
    await database.drop();
  });
  const post = async (server: ServerProcess, path: string, body: object) => {
    const answer = await call(server.url, 'POST', path, body, authorization);
    expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300);
    return answer.body.id as string;
  };
  await post(a, '/alerts/channels', { name: 'ops', kind: 'webhook', spec: { url: sink.url } });
  const names = Array.from({ length: 2 * perServer }, (_, index) => `alert ${index}`);
  const raised = await whileKilling([a, b], names, (server, name) => post(server, '/alerts', { name }));
  expect(raised.length).toBeGreaterThan(perServer);
  await untilAllHeard(raised, 'firing');
  const resolved = await whileKilling([b, c], raised, (server, id) => post(server, `/alerts/${id}/resolve`, {}));
  await untilAllHeard(resolved, 'resolved');
});
