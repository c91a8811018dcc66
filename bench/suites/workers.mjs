// Tasks that run in remote workers, over gRPC, beside those that the server runs itself.
import { spawn, spawnSync } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { cpuSeconds, environment, stopProcess, until } from '../lib/processes.mjs';
import { openRemote } from '../lib/remote.mjs';
import { startArkitect } from '../peers/services.mjs';

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));

export const sizes = {
  full: { tasks: 30_000, warmUp: 5_000, slots: 200, rate: 50, seconds: 8, idle: 500, idleSeconds: 20, held: 200, leaseSeconds: 6 },
  quick: { tasks: 1_000, warmUp: 200, slots: 200, rate: 50, seconds: 1, idle: 20, idleSeconds: 2, held: 20, leaseSeconds: 3 },
};

const base = 'in-process';
const measure = (name, unit, better) => ({ suite: 'workers', name, unit, better, base });
const measures = {
  process: measure('process queued no-op tasks', 'tasks/s'),
  p50: measure('create to start at 50/s, p50', 'ms', 'less'),
  p99: measure('create to start at 50/s, p99', 'ms', 'less'),
  cancelP50: { ...measure('cancel to the signal in the worker, p50', 'ms', 'less'), base: undefined },
  cancelP99: { ...measure('cancel to the signal in the worker, p99', 'ms', 'less'), base: undefined },
  killed: { ...measure('worker killed: until its tasks run elsewhere', 's', 'less'), base: undefined },
  frozen: { ...measure('worker frozen: the same, beyond the lease', 's', 'less'), base: undefined },
  idleCpu: { ...measure('idle workers: CPU of server and database', '% of a core', 'less'), base: undefined },
  idleQueries: { ...measure('idle workers: queries of the server', 'per s', 'less'), base: undefined },
};

const states = [
  { name: base, label: 'the server itself' },
  { name: 'rust', label: 'one Rust worker' },
  { name: 'typescript', label: 'one TypeScript worker' },
  { name: 'idle', label: '500 idle workers' },
];

export async function run({ servers, size, results, eachSystem, directory }) {
  const built = new Set();
  await eachSystem('workers', states, async (state) => {
    if (!built.has(state.name)) build(state.name);
    built.add(state.name);
    const database = await servers.get('postgres');
    const connection = await database.create();
    try {
      if (state.name === 'idle') await measureIdle(state, { database, connection, directory, size, results });
      else await measureRate(state, { connection, directory, size, results });
      if (state.name === 'typescript') {
        await measureLatency(state, { connection, directory, size, results });
        results.add(measures.killed, state, await secondsUntilElsewhere('SIGKILL', { connection, directory, size }));
        results.add(measures.frozen, state, (await secondsUntilElsewhere('SIGSTOP', { connection, directory, size })) - size.leaseSeconds);
      }
    } finally {
      await database.drop(connection);
    }
  });
}

/** What a state needs beside the server, compiled. */
function build(name) {
  const typescript = path('../../sdk/typescript');
  const npm = [
    ['npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], typescript],
    ['npm', ['run', '--silent', 'build'], typescript],
  ];
  const cargo = [['cargo', ['build', '--release', '--locked', '--example', 'bench_worker', '--jobs', '2'], path('../../sdk/rust')]];
  const steps = { rust: cargo, typescript: npm, idle: npm }[name] ?? [];
  for (const [program, args, cwd] of steps) {
    if (spawnSync(program, args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] }).status !== 0)
      throw new Error(`${program} ${args.join(' ')} failed.`);
  }
}

/** Tasks that wait already; the rate is that of their ends, without the first ones, as the database saw them. */
async function measureRate(state, { connection, directory, size, results }) {
  const { tasks, warmUp, slots } = size;
  const type = state.name === base ? 'echo' : 'noop';
  let server = await startArkitect(connection, directory);
  let worker;
  try {
    await post(server, '/workers/poll', { name: 'bench', instance: 'announces', types: ['noop'], wait_seconds: 0 });
    for (let n = 0; n < tasks + warmUp; n += 1_000) {
      await post(server, '/tasks/bulk', {
        tasks: Array.from({ length: Math.min(1_000, tasks + warmUp - n) }, () => ({ name: 'bench', type, start: 'auto' })),
      });
    }
    if (state.name === base) {
      await server.stop();
      server = await startArkitect(connection, directory, { RUNNER_SLOTS: '1000' });
    } else {
      worker = await startWorker(state.name, server.grpc, slots);
    }
    await finished(connection, tasks + warmUp);
    results.add(measures.process, state, await rateOf(connection, warmUp));
    if (state.name === base) await latencyInProcess(state, server, size, results);
  } finally {
    await worker?.stop();
    await server.stop();
  }
}

async function startWorker(language, url, slots) {
  if (language === 'rust') {
    const env = environment({ ARKITECT_GRPC_URL: url });
    const child = spawn(path('../../sdk/rust/target/release/examples/bench_worker'), [String(slots)], {
      env,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    return { stop: () => stopProcess(child) };
  }
  const remote = openRemote(path('../load/workers-process.mjs'), 'TypeScript worker');
  await remote.run('start', { url, count: 1, slots });
  return { stop: () => remote.kill() };
}

/** Over HTTP, as the server's own runner has no client of its own: the time from the create to started_at would need two clocks to agree. */
async function latencyInProcess(state, server, { rate, seconds }, results) {
  const latencies = [];
  const begun = performance.now();
  const calls = [];
  for (let sent = 0; sent < rate * seconds; sent++) {
    await wait(Math.max(0, begun + (sent * 1_000) / rate - performance.now()));
    const at = performance.timeOrigin + performance.now();
    calls.push(
      post(server, '/tasks?wait=10', { name: 'bench', start: 'auto' }).then(({ started_at }) =>
        latencies.push(Date.parse(started_at) - at),
      ),
    );
  }
  await Promise.all(calls);
  latencies.sort((a, b) => a - b);
  const at = (share) => Math.max(0.5, latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))]);
  results.add(measures.p50, state, at(0.5));
  results.add(measures.p99, state, at(0.99));
}

async function measureLatency(state, { connection, directory, size, results }) {
  const server = await startArkitect(connection, directory);
  const workers = openRemote(path('../load/workers-process.mjs'), 'TypeScript worker');
  try {
    await workers.run('start', { url: server.grpc, count: 1, slots: size.slots });
    await workers.run('paced', { rate: size.rate, seconds: size.seconds / 4 });
    const { p50, p99 } = await workers.run('paced', { rate: size.rate, seconds: size.seconds });
    results.add(measures.p50, state, p50);
    results.add(measures.p99, state, p99);
    const cancel = await workers.run('cancels', { rate: size.rate, tasks: size.held });
    results.add(measures.cancelP50, state, cancel.p50);
    results.add(measures.cancelP99, state, cancel.p99);
  } finally {
    await workers.kill();
    await server.stop();
  }
}

/** From the signal to a worker that holds tasks, until the last of them has begun in another. */
async function secondsUntilElsewhere(signal, { connection, directory, size }) {
  const server = await startArkitect(connection, directory, { ENGINE_LEASE_SECONDS: String(size.leaseSeconds) });
  const [first, second] = [0, 1].map(() => openRemote(path('../load/workers-process.mjs'), 'TypeScript worker'));
  try {
    await first.run('start', { url: server.grpc, count: 1, slots: size.held });
    await first.run('hold', { tasks: size.held });
    await second.run('start', { url: server.grpc, count: 1, slots: size.held });
    const at = performance.timeOrigin + performance.now();
    first.signal(signal);
    return ((await second.run('lastBegin', { tasks: size.held })) - at) / 1_000;
  } finally {
    await second.kill();
    await first.kill();
    await withClient(connection, (client) => client.query("DELETE FROM tasks WHERE type = 'hold'"));
    await server.stop();
  }
}

async function measureIdle(state, { database, connection, directory, size, results }) {
  const server = await startArkitect(connection, directory);
  const workers = openRemote(path('../load/workers-process.mjs'), 'idle workers');
  try {
    await workers.run('start', { url: server.grpc, count: size.idle, slots: 10 });
    // Until polling has backed off.
    await wait(Math.min(11_000, size.idleSeconds * 1_000));
    const usage = async () => ({ cpu: cpuSeconds(server.pid) + cpuSeconds(database.pid), queries: await database.queries(connection) });
    const before = await usage();
    await wait(size.idleSeconds * 1_000);
    const after = await usage();
    results.add(measures.idleCpu, state, ((after.cpu - before.cpu) / size.idleSeconds) * 100);
    results.add(measures.idleQueries, state, (after.queries - before.queries) / size.idleSeconds);
  } finally {
    await workers.kill();
    await server.stop();
  }
}

async function post({ url }, route, body) {
  const response = await fetch(url + route, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${route} answered ${response.status}: ${await response.text()}`);
  return response.json();
}

async function withClient(connection, use) {
  const client = new pg.Client(connection);
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

function finished(connection, tasks) {
  return withClient(connection, (client) =>
    until(
      async () =>
        (await client.query(`SELECT count(*)::int AS done FROM tasks WHERE tenant_id = 'default' AND status = 'completed'`)).rows[0]
          .done === tasks,
      {
        everyMs: 250,
        what: `all ${tasks} tasks to be completed`,
      },
    ),
  );
}

function rateOf(connection, warmUp) {
  return withClient(connection, async (client) => {
    const { rows } = await client.query(
      `SELECT count(*) / extract(epoch FROM max(finished_at) - min(finished_at)) AS rate
       FROM (SELECT finished_at FROM tasks WHERE status = 'completed' ORDER BY finished_at OFFSET $1) later`,
      [warmUp],
    );
    return Number(rows[0].rate);
  });
}
