// How soon a change of the configuration is seen on every one of four replicas, and acknowledged by all.
import { setTimeout as wait } from 'node:timers/promises';
import { percentile } from '../lib/statistics.mjs';
import { startArkitect } from '../peers/services.mjs';

export const sizes = {
  full: { changes: 200, replicas: 4, tasksPerSecond: 100 },
  quick: { changes: 10, replicas: 4, tasksPerSecond: 20 },
};

const base = 'postgres';
const measure = (what, share) => ({ suite: 'config', name: `change to ${what}, ${share}`, unit: 'ms', better: 'less', base });
const shares = [
  ['p50', 0.5],
  ['p99', 0.99],
  ['longest', 1],
];

const token = 'a-token-of-the-bench-0123456789';
const pollMs = 2;
const givesUpMs = 60_000;
const key = 'HTTP_ALLOW_HOSTS';

export async function run({ servers, size, results, eachSystem, directory }) {
  const server = await servers.get('postgres');
  const states = [
    { name: base, label: 'hints by LISTEN/NOTIFY' },
    { name: 'redis', label: 'hints by Redis', redis: true },
    { name: 'busy', label: `LISTEN/NOTIFY, ${size.tasksPerSecond} tasks/s on each`, busy: true },
  ];
  await eachSystem('config', states, async (state) => {
    const connection = await server.create();
    const redis = state.redis ? await (await servers.get('redis')).create() : undefined;
    const settings = { ADMIN_TOKEN: token, RUNNER_SLOTS: '16', ...(redis && { REDIS_URL: redis.url }) };
    const replicas = [];
    const load = new AbortController();
    const loads = [];
    try {
      // One after the other: the first brings the schema.
      while (replicas.length < size.replicas) replicas.push(await startArkitect(connection, directory, settings));
      if (state.busy) for (const { url } of replicas) loads.push(createTasks(url, size.tasksPerSecond, load.signal));
      await change(replicas, 'warm-up.example', 0);
      const seen = [];
      const acknowledged = [];
      for (let index = 0; index < size.changes; index++) {
        const took = await change(replicas, `host-${index}.example`, index);
        seen.push(took.seen);
        acknowledged.push(took.acknowledged);
      }
      for (const [what, values] of [
        ['seen on all', seen],
        ['acknowledged by all', acknowledged],
      ]) {
        for (const [share, part] of shares) results.add(measure(what, share), state, percentile(values, part));
      }
    } finally {
      load.abort();
      await Promise.all(loads);
      await Promise.all(replicas.map((replica) => replica.stop()));
      await server.drop(connection);
    }
  });
}

/** Milliseconds from sending the change, each time to another replica, until each replica answers the new value, and until the version is complete. */
async function change(replicas, value, index) {
  const { url } = replicas[index % replicas.length];
  const begun = performance.now();
  const { version } = await call(url, 'POST', '/config', { changes: { [key]: value } });
  const until = async (holds) => {
    while (!(await holds())) {
      if (performance.now() - begun > givesUpMs) throw new Error(`Version ${version} was not everywhere after ${givesUpMs / 1_000} s.`);
      await wait(pollMs);
    }
    return performance.now() - begun;
  };
  const seen = replicas.map((replica) => until(async () => valueOf(await call(replica.url, 'GET', '/config')) === value));
  const acknowledged = until(async () => {
    const { complete, replicas: listed } = await call(url, 'GET', `/config/versions/${version}`);
    if (listed.length !== replicas.length) throw new Error(`${listed.length} of ${replicas.length} replicas are known.`);
    return complete;
  });
  return { seen: Math.max(...(await Promise.all(seen))), acknowledged: await acknowledged };
}

function valueOf({ settings }) {
  return settings.find((setting) => setting.key === key).value.join(',');
}

/** At a fixed rate, run by whichever replica has a slot, until the signal. */
async function createTasks(url, rate, signal) {
  const begun = performance.now();
  for (let sent = 0; !signal.aborted; sent++) {
    await wait(Math.max(0, begun + (sent * 1_000) / rate - performance.now()));
    await call(url, 'POST', '/tasks', { name: 'bench', type: 'echo', start: 'auto' });
  }
}

async function call(url, method, path, body) {
  const answer = await fetch(url + path, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${method} ${path} was answered with ${answer.status}: ${await answer.text()}`);
  return answer.json();
}
