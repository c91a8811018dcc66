// The queue as a library: how fast tasks go in, and how fast they are done.
import { openSystem } from '../load/open-system.mjs';

export const sizes = {
  full: { seconds: 4, callers: 200, tasks: 20_000, bulk: 500, warmUp: 2_000 },
  quick: { seconds: 0.5, callers: 200, tasks: 500, bulk: 500, warmUp: 100 },
};

export const measures = {
  one: { suite: 'queue', name: 'enqueue one at a time, 200 callers', unit: 'tasks/s' },
  bulk: { suite: 'queue', name: 'enqueue in bulk of 500', unit: 'tasks/s' },
  process: { suite: 'queue', name: 'process queued no-op tasks', unit: 'tasks/s' },
};

/** Each measure on a fresh database in a fresh process. */
export async function run({ systems, servers, size, results, eachSystem }) {
  await eachSystem('queue', systems, async (system) => {
    const server = await servers.get(system.server);
    results.add(measures.one, system, await onFreshDatabase(server, system, (session) => enqueueOneByOne(session, size)));
    await onFreshDatabase(server, system, async (session) => {
      results.add(measures.bulk, system, await enqueueInBulk(session, size));
      results.add(measures.process, system, await processQueued(session, size));
    });
  });
}

export async function enqueueOneByOne(session, { callers, seconds }) {
  await session.run('enqueueOneByOne', { callers, seconds: seconds / 4 });
  return rate(await session.run('enqueueOneByOne', { callers, seconds }));
}

export async function enqueueInBulk(session, { tasks, bulk, warmUp }) {
  await session.run('enqueueInBulk', { tasks: warmUp, size: bulk });
  return rate(await session.run('enqueueInBulk', { tasks, size: bulk }));
}

/** Of what `enqueueInBulk` has left; `drain`: until nothing is left. */
export async function processQueued(session, { tasks, warmUp }, drain = true) {
  return rate(await session.run('processQueued', { tasks, warmUp, drain }));
}

export async function onFreshDatabase(server, system, measure) {
  const connection = await server.create();
  try {
    const session = await openSystem(system, connection);
    try {
      return await measure(session, connection);
    } finally {
      await session.close();
    }
  } finally {
    await server.drop(connection);
  }
}

export function rate({ tasks, seconds }) {
  return tasks / seconds;
}
