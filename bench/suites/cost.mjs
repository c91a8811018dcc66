// What a thousand tasks cost, and what it costs to have nothing to do.
import { setTimeout as wait } from 'node:timers/promises';
import { cpuSeconds, memoryMb } from '../lib/processes.mjs';
import { onFreshDatabase } from './queue.mjs';

export const sizes = {
  full: { callers: 200, tasks: 10_000, settleSeconds: 11, idleSeconds: 12 },
  quick: { callers: 200, tasks: 300, settleSeconds: 0.5, idleSeconds: 1 },
};

const measure = (name, unit) => ({ suite: 'cost', name, unit, better: 'less' });
const measures = {
  cpu: measure('CPU of process and server, per 1,000 tasks', 'CPU-s'),
  bytes: measure('written to the log (WAL, AOF), per 1,000 tasks', 'KiB'),
  memory: measure('memory of the process after the load', 'MB'),
  serverMemory: measure('memory of the server after the load', 'MB'),
  idleQueries: measure('queries when idle', 'per s'),
  idleCpu: measure('CPU when idle, process and server', '% of a core'),
};

export async function run({ systems, servers, size, results, eachSystem }) {
  const { callers, tasks, settleSeconds, idleSeconds } = size;
  await eachSystem('cost', systems, async (system) => {
    const server = await servers.get(system.server);
    await onFreshDatabase(server, system, async (session, connection) => {
      await session.run('enqueueAndProcess', { callers, tasks: tasks / 5 });
      const before = await snapshot(session, server);
      await session.run('enqueueAndProcess', { callers, tasks });
      const after = await snapshot(session, server);
      results.add(measures.cpu, system, ((after.cpu - before.cpu) * 1_000) / tasks);
      results.add(measures.bytes, system, ((after.bytes - before.bytes) * 1_000) / tasks / 1_024);
      results.add(measures.memory, system, after.rssMb);
      results.add(measures.serverMemory, system, memoryMb(server.pid));

      // What the load has left behind is not idleness: polling that backs off, and counts that PostgreSQL's sessions hold back for
      // up to ten seconds.
      await wait(settleSeconds * 1_000);
      const idle = await snapshot(session, server, connection);
      await session.run('idle', { seconds: idleSeconds });
      const later = await snapshot(session, server, connection);
      results.add(measures.idleQueries, system, (later.queries - idle.queries) / idleSeconds);
      results.add(measures.idleCpu, system, ((later.cpu - idle.cpu) / idleSeconds) * 100);
    });
  });
}

/** The process's CPU includes the callers that make the load. */
async function snapshot(session, server, connection) {
  const usage = await session.run('usage');
  return {
    cpu: usage.cpuSeconds + cpuSeconds(server.pid),
    rssMb: usage.rssMb,
    bytes: await server.bytesWritten(),
    queries: connection && (await server.queries(connection)),
  };
}
