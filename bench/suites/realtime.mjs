// One event to every client, on two replicas that share a database: from the transaction to the socket.
import { fileURLToPath } from 'node:url';
import { settingDefinitions } from '../../dist/setting-definitions.js';
import { openRemote } from '../lib/remote.mjs';
import { startArkitect } from '../peers/services.mjs';

const program = fileURLToPath(new URL('../load/socket-clients.mjs', import.meta.url));

export const sizes = {
  full: { clients: 1_000, seconds: 10, rates: [5, 10, 20, 40, 80, 160, 320], limitMs: 1_000 },
  quick: { clients: 100, seconds: 2, rates: [5, 20], limitMs: 1_000 },
};

/** Events a second at which nothing queues. */
const calm = 2;

const base = 'database';
const measure = (name, unit, better) => ({ suite: 'realtime', name, unit, better, base });
const measures = {
  p50: measure(`event to all clients at ${calm}/s, p50`, 'ms', 'less'),
  p99: measure(`event to all clients at ${calm}/s, p99`, 'ms', 'less'),
  most: measure('highest rate tried with p99 below 1 s', 'events/s'),
};

export async function run({ servers, size, results, eachSystem, directory }) {
  const ways = [{ name: base, label: 'events through PostgreSQL' }];
  // Until the product takes it, there is nothing to compare.
  if ('REDIS_URL' in settingDefinitions) ways.push({ name: 'redis', label: 'events through Redis', redis: true });
  await eachSystem('realtime', ways, async (way) => {
    const server = await servers.get('postgres');
    const connection = await server.create();
    const settings = way.redis ? { REDIS_URL: (await (await servers.get('redis')).create()).url } : {};
    const replicas = [];
    const clients = openRemote(program, 'socket clients');
    try {
      for (let replica = 0; replica < 2; replica++) replicas.push(await startArkitect(connection, directory, settings));
      const urls = replicas.map(({ url }) => url);
      await clients.run('connect', { urls, count: size.clients });
      const load = { url: urls[0], seconds: size.seconds };
      await clients.run('createAndWatch', { ...load, rate: calm, seconds: 1 });
      const { p50, p99, ...counts } = await clients.run('createAndWatch', { ...load, rate: calm });
      if (counts.delivered !== counts.expected) throw new Error(`${counts.delivered} of ${counts.expected} events reached their clients.`);
      results.add(measures.p50, way, p50);
      results.add(measures.p99, way, p99);
      results.add(measures.most, way, await highestRate(clients, load, size));
    } finally {
      await clients.kill();
      await Promise.all(replicas.map((replica) => replica.stop()));
      await server.drop(connection);
    }
  });
}

async function highestRate(clients, load, { rates, limitMs }) {
  let most = 0;
  for (const rate of rates) {
    const { p99, delivered, expected } = await clients.run('createAndWatch', { ...load, rate });
    if (delivered < expected || p99 > limitMs) break;
    most = rate;
  }
  return most;
}
