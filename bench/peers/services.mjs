import { mkdtempSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import pg from 'pg';
import { environment, stopProcess, waitForOutput } from '../lib/processes.mjs';

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));

/** What answers /tasks. None runs tasks, so that creates are all that is measured. */
export const services = [
  { name: 'arkitect', label: 'ARKITECT (PostgreSQL)', server: 'postgres', start: startArkitect },
  { name: 'arkitect-embedded', label: 'ARKITECT (embedded)', server: 'embedded', start: startArkitect },
  { name: 'nest-bullmq', label: 'NestJS + BullMQ (Redis)', server: 'redis', start: startNestBullmq },
  { name: 'fastify', label: 'bare Fastify, nothing stored', start: startFastify },
];

/** `connection`: of a database; `more`: settings over those of the measurement. */
export async function startArkitect(connection, directory, more = {}) {
  const { host, port, user, database } = connection;
  const server = await startNode(path('../../dist/main.js'), /REST and Socket\.IO\s+(http:\S+)\s+gRPC\s+(\S+)/, {
    cwd: mkdtempSync(join(directory, 'arkitect-')),
    env: {
      PORT: '0',
      GRPC_PORT: '0',
      DATABASE_URL: `postgresql://${user}@localhost:${port}/${database}?host=${encodeURIComponent(host)}`,
      RUNNER_SLOTS: '0',
      LOG_LEVEL: 'warn',
      ...more,
    },
  });
  return { ...server, stored: () => countTasks(connection) };
}

async function startNestBullmq({ path: redis }) {
  const server = await startNode(path('../.build/nest-bullmq/main.js'), /listening on (http:\S+)/, { env: { REDIS_SOCKET: redis } });
  return { ...server, stored: () => countJobs(redis) };
}

function startFastify() {
  return startNode(path('fastify-bare.mjs'), /listening on (http:\S+)/, {});
}

async function startNode(program, pattern, { cwd, env }) {
  const more = { NODE_ENV: 'production', ...env };
  const child = spawn(process.execPath, [program], { cwd, env: environment(more), stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  try {
    const [, url, grpc] = await waitForOutput(child, pattern);
    return { url, grpc, pid: child.pid, stop: () => stopProcess(child) };
  } catch (error) {
    await stopProcess(child, 'SIGKILL');
    throw error;
  }
}

async function countTasks(connection) {
  const client = new pg.Client(connection);
  await client.connect();
  const { rows } = await client.query('SELECT count(*) AS count FROM tasks');
  await client.end();
  return Number(rows[0].count);
}

async function countJobs(path) {
  const client = new Redis({ path });
  const count = await client.llen('bull:tasks:wait');
  client.disconnect();
  return count;
}
