// From the call that enqueues to the start of the handler, in one process: what a user waits for when nothing is in the way.
import { onFreshDatabase, rate } from './queue.mjs';

export const sizes = {
  full: { callers: 200, tasks: 10_000, seconds: 6, low: 50 },
  quick: { callers: 200, tasks: 300, seconds: 0.5, low: 50 },
};

const capacity = { suite: 'latency', name: 'enqueue and process at once, 200 callers', unit: 'tasks/s' };
const latency = (load, share) => ({ suite: 'latency', name: `enqueue to start, ${load}, ${share}`, unit: 'ms', better: 'less' });

export async function run({ systems, servers, size, results, eachSystem }) {
  await eachSystem('latency', systems, async (system) => {
    await onFreshDatabase(await servers.get(system.server), system, async (session) => {
      const measured = await measureLatency(session, size);
      results.add(capacity, system, measured.capacity);
      for (const share of ['p50', 'p99']) {
        results.add(latency('50/s', share), system, measured.low[share]);
        results.add(latency('half of its capacity', share), system, measured.half[share]);
      }
    });
  });
}

/** Half the capacity is of each system's own, so each is as busy as the others. */
export async function measureLatency(session, { callers, tasks, seconds, low }) {
  const flow = { callers, tasks };
  await session.run('enqueueAndProcess', { ...flow, tasks: tasks / 5 });
  const most = rate(await session.run('enqueueAndProcess', flow));
  return {
    capacity: most,
    low: await session.run('paced', { rate: low, seconds }),
    half: await session.run('paced', { rate: most / 2, seconds, fromDue: true }),
  };
}
