// The service as its clients see it, over HTTP, each server a process of its own and the load in another.
import { openHttpLoad } from '../load/open-http-load.mjs';
import { services } from '../peers/services.mjs';

export const sizes = {
  full: { connections: 64, seconds: 5, stored: 1_000 },
  quick: { connections: 64, seconds: 1, stored: 100 },
};

const measure = (name, unit, better) => ({ suite: 'service', name, unit, better });
const measures = {
  create: measure('POST /tasks, 64 connections', 'req/s'),
  get: measure('GET /tasks/{id}', 'req/s'),
  list: measure('GET /tasks?status=queued (a page of 50)', 'req/s'),
  p50: measure('POST /tasks at half of its capacity, p50', 'ms', 'less'),
  p99: measure('POST /tasks at half of its capacity, p99', 'ms', 'less'),
};

const headers = { 'content-type': 'application/json' };
const body = JSON.stringify({
  name: 'Weekly report',
  type: 'echo',
  priority: 'medium',
  parameters: { url: 'https://example.com/report', format: 'pdf', pages: 12 },
  labels: { team: 'reporting' },
  start: 'auto',
});

export async function run({ servers, size, results, eachSystem, directory }) {
  await eachSystem('service', services, (service) => measureService(service, { servers, size, results, directory }));
}

async function measureService(service, { servers, size, results, directory }) {
  const server = service.server && (await servers.get(service.server));
  const connection = await server?.create();
  const load = openHttpLoad();
  let running;
  try {
    running = await service.start(connection, directory);
    for (const [name, value] of Object.entries(await measureRoutes(running, load, size))) results.add(measures[name], service, value);
  } finally {
    await load.close();
    await running?.stop();
    await server?.drop(connection);
  }
}

/** Reads first: the creates leave a different number of tasks in each service. */
export async function measureRoutes({ url, stored }, load, size) {
  const { connections, seconds } = size;
  const create = { url: `${url}/tasks`, method: 'POST', headers, body, connections };
  await load.request({ ...create, amount: size.stored });
  const ids = await newestIds(url);
  const requests = ids.map((id) => ({ path: `/tasks/${id}` }));
  const get = { url, requests, connections };
  const list = { url: `${url}/tasks?status=queued`, connections };
  for (const options of [get, list, create]) await load.request({ ...options, duration: seconds / 4 });

  const got = await load.request({ ...get, duration: seconds });
  const listed = await load.request({ ...list, duration: seconds });
  const before = await stored?.();
  const created = await load.request({ ...create, duration: seconds });
  const kept = stored && (await stored()) - before;
  if (kept < created.answered) throw new Error(`${created.answered} creates were acknowledged, but ${kept} tasks were stored.`);
  const most = created.answered / created.seconds;
  const half = await load.request({ ...create, duration: seconds, overallRate: Math.max(1, Math.round(most / 2)) });
  return { create: most, get: got.answered / got.seconds, list: listed.answered / listed.seconds, p50: half.p50, p99: half.p99 };
}

async function newestIds(url) {
  const { items } = await (await fetch(`${url}/tasks?status=queued`)).json();
  if (items.length !== 50) throw new Error(`${url} listed ${items.length} tasks instead of a page of 50.`);
  return items.map(({ id }) => id);
}
