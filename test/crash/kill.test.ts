import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import type { SettingKey } from '../../src/settings.js';
import { createDatabase } from '../support/database.js';
import { call } from '../support/server.js';
import { buildServer, spawnServer, testToken, type ServerProcess } from '../support/server-process.js';
import { until } from '../support/until.js';

/*
 * kill -9 of a replica in the middle of work, again and again. What was acknowledged must be there, must run to its end,
 * and must end once.
 */

const rounds = Number(process.env.CRASH_ROUNDS ?? 4);
const authorization = { authorization: `Bearer ${testToken}` };

beforeAll(buildServer);

interface Event {
  id: string;
  seq: number;
  action: string;
  attempt?: number;
  status?: string;
}

/** Creates tasks until the server is gone; answers the ids that it acknowledged. */
async function createUntilGone(server: ServerProcess, onAcknowledged: (id: string) => void): Promise<void> {
  const creators = Array.from({ length: 6 }, async (_, creator) => {
    for (let count = 0; ; count++) {
      const slow = (creator + count) % 3 === 0;
      const body = {
        name: `round task ${creator}/${count}`,
        start: 'auto',
        ...(slow ? { type: 'sleep', parameters: { seconds: 0.4 } } : { type: 'echo', parameters: { count } }),
      };
      const answer = await call(server.url, 'POST', '/tasks', body, authorization).catch(() => undefined);
      if (!answer) return;
      if (answer.status === 201) onAcknowledged(answer.body.id);
    }
  });
  await Promise.all(creators);
}

async function everyEvent(server: ServerProcess, id: string): Promise<Event[]> {
  const { body } = await call(server.url, 'GET', `/tasks/${id}/events?limit=200`, undefined, authorization);
  return body.items;
}

async function killAgainAndAgain(settings: Partial<Record<SettingKey, string>>, howOften: number): Promise<void> {
  const acknowledged: string[] = [];
  for (let round = 0; round < howOften; round++) {
    const server = await spawnServer(settings);
    const target = acknowledged.length + 20 + ((round * 17) % 40);
    const enough = Promise.withResolvers<void>();
    const creating = createUntilGone(server, (id) => {
      acknowledged.push(id);
      if (acknowledged.length >= target) enough.resolve();
    });
    await enough.promise;
    await server.kill();
    await creating;
  }

  const server = await spawnServer(settings);
  onTestFinished(async () => {
    await server.kill();
  });
  for (const id of acknowledged) {
    const task = await until(
      `task ${id} to end`,
      async () => {
        const { status, body } = await call(server.url, 'GET', `/tasks/${id}`, undefined, authorization);
        if (status !== 200) throw new Error(`The acknowledged task ${id} is answered with ${status}`);
        return ['completed', 'failed', 'cancelled'].includes(body.status) && body;
      },
      120_000,
    );
    expect(task).toMatchObject({ status: 'completed', error: null });
    // The log shows an event once nothing older can still come, so a moment after the task itself.
    const events = await until(`the last event of task ${id}`, async () => {
      const seen = await everyEvent(server, id);
      return seen.at(-1)?.action === 'task_completed' && seen;
    });
    expect(events.map((event) => event.action).filter((action) => action === 'task_completed')).toHaveLength(1);
    expect(events[0]?.action).toBe('task_created');
    expect(events.filter((event) => event.action === 'task_started').map((event) => event.attempt)).toEqual(
      Array.from({ length: task.attempt }, (_, index) => index + 1),
    );
  }
  const rescued = await Promise.all(acknowledged.map((id) => everyEvent(server, id)));
  // The kills did hit running work: otherwise nothing was shown.
  expect(rescued.filter((events) => events.some((event) => (event.attempt ?? 0) > 1)).length).toBeGreaterThan(0);
  expect(await server.stop()).toBe(0);
}

test(
  `${rounds} kills of a replica on a PostgreSQL server: no acknowledged task is lost, each ends once`,
  { timeout: 60_000 + rounds * 30_000 },
  async () => {
    await using database = await createDatabase();
    // A task may meet more kills than the usual cap of lost leases, and shall survive them all.
    const settings = { DATABASE_URL: database.url, ENGINE_LEASE_SECONDS: '2', ENGINE_MAX_RESCUES: '100' };
    await killAgainAndAgain(settings, rounds);
  },
);

test('kills of a server with the embedded database: the next start continues the unfinished tasks', { timeout: 240_000 }, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'arkitect-crash-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  // Nobody else can be using an embedded database, so a new start need not wait for the leases of the dead one.
  await killAgainAndAgain({ DATA_DIR: directory, ENGINE_LEASE_SECONDS: '3600' }, 3);
});
