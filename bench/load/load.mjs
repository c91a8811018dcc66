// What is done to a system (systems/systems.mjs) in the process that it runs in. Times are in seconds, latencies in milliseconds.
import { setTimeout as wait } from 'node:timers/promises';
import { until } from '../lib/processes.mjs';
import { percentile } from '../lib/statistics.mjs';

/** Told of every task that starts; each load sets its own. */
let onStart = () => undefined;
let working = false;

async function work(system) {
  if (!working) await system.work((parameters) => onStart(parameters));
  working = true;
}

/** `callers` call one at a time, each the next when the last is answered, for `seconds`. */
export async function enqueueOneByOne(system, { callers, seconds }) {
  const begun = performance.now();
  let tasks = 0;
  const caller = async () => {
    while (performance.now() - begun < seconds * 1_000) {
      await system.enqueueOne({ n: tasks });
      tasks += 1;
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return { tasks, seconds: elapsed(begun) };
}

/** One call after another, `size` tasks each. */
export async function enqueueInBulk(system, { tasks, size }) {
  const begun = performance.now();
  for (let n = 0; n < tasks; n += size) {
    await system.enqueueBulk(Array.from({ length: Math.min(size, tasks - n) }, (_, index) => ({ n: n + index })));
  }
  return { tasks, seconds: elapsed(begun) };
}

/**
 * Tasks that wait already: `warmUp` of them, in which the worker connects and its code is compiled, then `tasks` on the clock
 * until all are recorded as finished (or have started, unless `drain`). Batches that the systems fetch make the beginning
 * vague by up to 500 tasks.
 */
export async function processQueued(system, { tasks, warmUp, drain = true }) {
  const { promise: warm, resolve } = Promise.withResolvers();
  const { promise: all, resolve: resolveAll } = Promise.withResolvers();
  let started = 0;
  onStart = () => {
    started += 1;
    if (started === warmUp) resolve(performance.now());
    if (started === warmUp + tasks) resolveAll();
  };
  await work(system);
  const begun = await warm;
  await all;
  if (drain) await drained(system);
  return { tasks, seconds: elapsed(begun) };
}

/** Works until the store says that nothing is unfinished. */
export async function processAll(system) {
  await work(system);
  await drained(system);
}

/** `callers` enqueue one at a time while the worker runs, from the first call until the last task is recorded as finished. */
export async function enqueueAndProcess(system, { callers, tasks }) {
  await work(system);
  const all = counted(tasks);
  const begun = performance.now();
  let sent = 0;
  const caller = async () => {
    while (sent < tasks) await system.enqueueOne({ n: sent++ });
  };
  await Promise.all(Array.from({ length: callers }, caller));
  await all;
  await drained(system);
  return { tasks, seconds: elapsed(begun) };
}

/**
 * `rate` tasks a second, whether or not earlier ones have been answered; milliseconds from the call to the start of the handler.
 * `fromDue`: from the moment the call was due instead, so that a system that blocks its callers cannot hide it; costs up to the
 * millisecond by which a timer is late, which is why the low rate, where nothing blocks, goes without.
 */
export async function paced(system, { rate, seconds, fromDue = false }) {
  await work(system);
  const latencies = [];
  const failures = [];
  const tasks = Math.round(rate * seconds);
  onStart = ({ due }) => latencies.push(performance.now() - due);
  const begun = performance.now();
  for (let sent = 0; sent < tasks;) {
    for (const now = performance.now(); sent < tasks && dueAt(sent) <= now; sent++) {
      system.enqueueOne({ n: sent, due: fromDue ? dueAt(sent) : performance.now() }).catch((error) => failures.push(error));
    }
    await wait(Math.max(0, dueAt(sent) - performance.now()));
  }
  await until(() => failures.length > 0 || latencies.length >= tasks, { what: `all ${tasks} tasks to start` });
  if (failures.length) throw failures[0];
  await drained(system);
  return { p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99), max: percentile(latencies, 1) };

  function dueAt(n) {
    return begun + (n * 1_000) / rate;
  }
}

/** The worker has nothing to do. */
export async function idle(system, { seconds }) {
  await work(system);
  await wait(seconds * 1_000);
  return {};
}

/** CPU seconds and memory (MB) of this process. */
export function usage() {
  const { user, system } = process.cpuUsage();
  return { cpuSeconds: (user + system) / 1e6, rssMb: process.memoryUsage().rss / 1024 ** 2 };
}

/** Resolves when that many tasks have started. */
function counted(tasks) {
  const { promise, resolve } = Promise.withResolvers();
  let started = 0;
  onStart = () => {
    if (++started === tasks) resolve();
  };
  return promise;
}

function drained(system) {
  return until(async () => (await system.unfinished()) === 0, { everyMs: 5, what: 'the queue to be empty' });
}

function elapsed(begun) {
  return (performance.now() - begun) / 1_000;
}
