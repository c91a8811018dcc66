// Redis as BullMQ's guide wants it in production: append-only file, fsync every second, no eviction.
// https://docs.bullmq.io/guide/going-to-production
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { spawnServer, stopProcess, waitForOutput } from '../lib/processes.mjs';

export async function startRedis(directory) {
  const home = join(directory, 'redis');
  mkdirSync(home);
  const path = join(home, 'redis.sock');
  const port = await freePort();
  const options = {
    dir: home,
    // A unix socket for the queues, like PostgreSQL's; the port for our own server, which takes nothing else.
    unixsocket: path,
    bind: '127.0.0.1',
    port: String(port),
    appendonly: 'yes',
    appendfsync: 'everysec',
    'maxmemory-policy': 'noeviction',
    // Neither snapshots nor rewrites in the middle of a round: both would only slow Redis down.
    save: '',
    'auto-aof-rewrite-percentage': '0',
  };
  const server = spawnServer(
    'redis-server',
    Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]),
  );
  await waitForOutput(server, /ready to accept connections/i);
  const client = new Redis({ path, maxRetriesPerRequest: null });
  let asked = 0;
  const info = async (section, field) => {
    const text = await client.info(section);
    asked += 1;
    return new RegExp(`^${field}:(.*)\\r$`, 'm').exec(text)[1];
  };
  return {
    pid: server.pid,
    version: `Redis ${await info('server', 'redis_version')}`,
    fsync: 'everysec',
    /** There is one; it is emptied. */
    async create() {
      await client.flushall();
      return { path, url: `redis://127.0.0.1:${port}` };
    },
    async drop() {
      await client.flushall();
    },
    async bytesWritten() {
      return Number(await info('persistence', 'aof_current_size'));
    },
    /** Commands so far, our own left out. */
    async queries() {
      const own = asked;
      return Number(await info('stats', 'total_commands_processed')) - own;
    },
    async stop() {
      client.disconnect();
      await stopProcess(server);
    },
  };
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
