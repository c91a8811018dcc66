// The same system with more and more behind it: everything as a ratio to the empty database.
import { systems } from '../systems/systems.mjs';
import { percentile } from '../lib/statistics.mjs';
import { openHttpLoad } from '../load/open-http-load.mjs';
import { openSystem } from '../load/open-system.mjs';
import { startArkitect } from '../peers/services.mjs';
import { seedTasks, removeQueued } from './growth-seed.mjs';
import { measureLatency, sizes as latencySizes } from './latency.mjs';
import { enqueueInBulk, enqueueOneByOne, processQueued, sizes as queueSizes } from './queue.mjs';
import { measureRoutes, sizes as serviceSizes } from './service.mjs';

const million = 1_000_000;
const sizesOf = (name) => ({ queue: queueSizes[name], latency: latencySizes[name], service: serviceSizes[name] });

export const sizes = {
  full: { ...sizesOf('full'), finished: [million, 5 * million], queued: million },
  quick: { ...sizesOf('quick'), finished: [5_000, 10_000], queued: 5_000 },
};

const base = 'empty';
const measure = (name, unit, better) => ({ suite: 'growth', name, unit, better, base });
const measures = {
  bulk: measure('enqueue in bulk of 500', 'tasks/s'),
  process: measure('process no-op tasks', 'tasks/s'),
  one: measure('enqueue one at a time, 200 callers', 'tasks/s'),
  p50: measure('enqueue to start, 50/s, p50', 'ms', 'less'),
  p99: measure('enqueue to start, 50/s, p99', 'ms', 'less'),
  create: measure('POST /tasks, 64 connections', 'req/s'),
  get: measure('GET /tasks/{id}', 'req/s'),
  list: measure('GET /tasks?status=queued (a page of 50)', 'req/s'),
  scrape: measure('GET /metrics/prometheus, p99 of 100', 'ms', 'less'),
};

const scrapes = 100;

const ours = systems.find(({ name }) => name === 'arkitect');

/** One database for each state, kept over the rounds: seeding millions of rows takes minutes. */
export async function run({ servers, size, results, eachSystem, directory, say }) {
  const server = await servers.get('postgres');
  const states = [
    { name: base, label: 'empty database', finished: 0, queued: 0 },
    ...size.finished.map((finished) => ({
      name: `finished-${finished}`,
      label: `${finished.toLocaleString('en')} finished`,
      finished,
      queued: 0,
    })),
    { name: 'queued', label: `${size.queued.toLocaleString('en')} queued`, finished: 0, queued: size.queued },
  ];
  const seeded = async (state) => {
    if (state.connection) return state;
    const connection = await server.create();
    // Its start brings the schema.
    await (await openSystem(ours, connection)).close();
    await seedTasks(connection, state, say);
    return Object.assign(state, { connection });
  };
  try {
    await eachSystem('growth', states, async (state) => measureState(await seeded(state), { size, results, directory }));
  } finally {
    for (const { connection } of states) if (connection) await server.drop(connection);
  }
}

async function measureState(state, { size, results, directory }) {
  const { connection } = state;
  const withSession = async (use) => {
    const session = await openSystem(ours, connection);
    try {
      return await use(session);
    } finally {
      await session.close();
    }
  };
  await withSession(async (session) => {
    results.add(measures.bulk, state, await enqueueInBulk(session, size.queue));
    // Those that were queued before come first, so the line does not get empty.
    results.add(measures.process, state, await processQueued(session, size.queue, state.queued === 0));
  });
  // Behind a million others a start is not a matter of latency.
  if (state.queued === 0) {
    const { low } = await withSession((session) => measureLatency(session, size.latency));
    results.add(measures.p50, state, low.p50);
    results.add(measures.p99, state, low.p99);
  }
  await withSession(async (session) => results.add(measures.one, state, await enqueueOneByOne(session, size.queue)));
  if (state.queued === 0) await removeQueued(connection);

  const load = openHttpLoad();
  const service = await startArkitect(connection, directory);
  try {
    const { create, get, list } = await measureRoutes(service, load, size.service);
    for (const [name, value] of Object.entries({ create, get, list })) results.add(measures[name], state, value);
    results.add(measures.scrape, state, await scrape(service.url));
  } finally {
    await load.close();
    await service.stop();
  }
  if (state.queued === 0) await removeQueued(connection);
}

/** One at a time, as Prometheus does it. */
async function scrape(url) {
  const latencies = [];
  for (let count = 0; count < scrapes; count++) {
    const begun = performance.now();
    const answer = await fetch(`${url}/metrics/prometheus`);
    const text = await answer.text();
    latencies.push(performance.now() - begun);
    if (!text.includes('arkitect_tasks{')) throw new Error(`The scrape tells of no tasks: ${text.slice(0, 200)}`);
  }
  return percentile(latencies, 0.99);
}
