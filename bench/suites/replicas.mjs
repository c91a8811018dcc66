// One replica, and two on the same database: together they must not be slower, and nothing may be done twice.
import pg from 'pg';
import { openSystem } from '../load/open-system.mjs';
import { systems } from '../systems/systems.mjs';

export const sizes = {
  full: { tasks: 60_000, bulk: 500 },
  quick: { tasks: 1_000, bulk: 500 },
};

const base = 'one';
const measures = { process: { suite: 'replicas', name: 'process queued no-op tasks', unit: 'tasks/s', base } };

const ours = systems.find(({ name }) => name === 'arkitect');
const states = [
  { name: base, label: 'one replica', replicas: 1 },
  { name: 'two', label: 'two replicas', replicas: 2 },
];

/** From the moment all begin to work, cold, until nothing is left. */
export async function run({ servers, size, results, eachSystem }) {
  const server = await servers.get('postgres');
  await eachSystem('replicas', states, async (state) => {
    const connection = await server.create();
    const sessions = [];
    try {
      // One after the other: the first brings the schema.
      for (let replica = 0; replica < state.replicas; replica++) sessions.push(await openSystem(ours, connection));
      await sessions[0].run('enqueueInBulk', { tasks: size.tasks, size: size.bulk });
      const begun = performance.now();
      await Promise.all(sessions.map((session) => session.run('processAll', {})));
      results.add(measures.process, state, size.tasks / ((performance.now() - begun) / 1_000));
      await requireOneStartEach(connection, size.tasks);
    } finally {
      await Promise.all(sessions.map((session) => session.close()));
      await server.drop(connection);
    }
  });
}

async function requireOneStartEach(connection, tasks) {
  const client = new pg.Client(connection);
  await client.connect();
  const { rows } = await client.query(
    `SELECT count(*)::int AS starts, count(DISTINCT task_id)::int AS tasks FROM events WHERE action = 'task_started'`,
  );
  await client.end();
  if (rows[0].starts !== tasks || rows[0].tasks !== tasks) {
    throw new Error(`${rows[0].tasks} of ${tasks} tasks were started, ${rows[0].starts} times in all.`);
  }
}
