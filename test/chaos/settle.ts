import { setTimeout as wait } from 'node:timers/promises';
import { seen, send } from './api.js';
import { terminal } from './life-cycle.js';
import type { Random } from './random.js';
import { processOf } from './redelivery.js';
import type { Watcher } from './watcher.js';
import { within } from './within.js';
import { slots, type World } from './world.js';

const finishMs = 180_000;
const recoverMs = 90_000;
const catchUpMs = 60_000;

/** After the last fault: all work ends, every replica takes part again, and the watchers catch up. */
export async function settle(world: World, random: Random, watchers: Watcher[]): Promise<void> {
  for (const proxy of [...world.proxies, ...(world.redis?.proxies ?? [])]) proxy.endForgotten();
  const wrong = (what: string) => world.history.add({ kind: 'wrong', rule: 'does not recover', what });
  if (!(await within(finishMs, () => isFinished(world, random)))) wrong(`tasks are unfinished ${finishMs / 1_000} s after the last fault`);
  for (const replica of world.replicas) {
    if (!(await within(recoverMs, () => answers(world, replica.url)))) wrong(`${replica.name} does not answer after the last fault`);
  }
  const idle = new Set(world.replicas);
  await within(recoverMs, async () => {
    for (const worker of await workers(world)) for (const replica of idle) if (replica.processId === worker) idle.delete(replica);
    return idle.size === 0;
  });
  for (const replica of idle) wrong(`${replica.name} runs no tasks after the last fault`);
  await within(finishMs, () => isFinished(world, random));
  const [last] = await world.query<{ seq: number }>("SELECT max(seq)::int AS seq FROM events WHERE action LIKE 'task%'");
  await within(catchUpMs, () => watchers.every((watcher) => watcher.last >= last!.seq));
  let left: string[] = [];
  await within(recoverMs, async () => (left = await leftConnections(world)).length === 0);
  if (left.length) wrong(`more connections are open than ${world.replicas.length} replicas are due: ${left.join(', ')}`);
}

/** Tasks that nobody executed yet are executed now. */
async function isFinished(world: World, random: Random): Promise<boolean> {
  const unfinished = await world.query<{ id: string; status: string }>('SELECT id, status FROM tasks WHERE status::text <> ALL($1)', [
    terminal,
  ]);
  for (const { id } of unfinished.filter((task) => task.status === 'pending')) {
    const { url } = random.pick(world.replicas);
    const answer = url ? await send(url, 'POST', `/tasks/${id}/execute`) : 'lost';
    if (answer !== 'lost' && answer.status === 200) {
      world.history.add({ kind: 'acknowledged', request: 'execute', tasks: [seen(answer.body)] });
    }
  }
  return unfinished.length === 0;
}

async function answers(world: World, url: string | undefined): Promise<boolean> {
  if (!url) return false;
  const ready = await send(url, 'GET', '/health/ready');
  if (ready === 'lost' || ready.status !== 200 || (world.redis && !saysUp(ready.body, 'redis'))) return false;
  const created = await send(url, 'POST', '/tasks', { name: 'after the faults', start: 'auto' });
  if (created === 'lost' || created.status !== 201) return false;
  world.history.add({ kind: 'acknowledged', request: 'create', tasks: [seen(created.body)] });
  return true;
}

function saysUp(ready: unknown, part: string): boolean {
  return (ready as { details: Record<string, { status: string }> }).details[part]?.status === 'up';
}

/** Processes that start attempts of a set of tasks too large for one of them. */
async function workers(world: World): Promise<number[]> {
  const { url } = world.replicas[0]!;
  const task = { name: 'for every replica', type: 'sleep', parameters: { seconds: 0.5 }, start: 'auto' };
  const tasks = Array.from({ length: 2 * slots * world.replicas.length }, () => task);
  const answer = url ? await send(url, 'POST', '/tasks/bulk', { tasks }) : 'lost';
  if (answer === 'lost' || answer.status !== 201) return [];
  const ids = (answer.body as { items: { task: { id: string } }[] }).items.map(({ task }) => task.id);
  await wait(1_500);
  const rows = await world.query<{ worker_id: string }>(
    'SELECT DISTINCT worker_id FROM tasks WHERE id = ANY($1) AND worker_id IS NOT NULL',
    [ids],
  );
  return rows.map((row) => processOf(row.worker_id));
}

/** What each replica may have open: reconnecting must not leave connections behind. */
const dueConnections: Record<string, number> = { leader: 1, 'wake-ups': 1, engine: 4, loops: 2, api: 10, Redis: 2 };

/** Names of connections of which there are more than the replicas are due. */
async function leftConnections({ query, replicas, redis }: World): Promise<string[]> {
  const open = await query<{ name: string; count: number }>(
    `SELECT substr(application_name, 10) AS name, count(*)::int AS count
     FROM pg_stat_activity WHERE application_name LIKE 'arkitect %' GROUP BY 1`,
  );
  if (redis) open.push({ name: 'Redis', count: await redis.connections() });
  return open
    .filter(({ name, count }) => count > (dueConnections[name] ?? 0) * replicas.length)
    .map(({ name, count }) => `${count} ${name}`);
}
