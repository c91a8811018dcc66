// What logging costs: POST /tasks while the same server logs ten thousand lines a second into a file, and while it logs none.
import { closeSync, ftruncateSync, mkdtempSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openHttpLoad } from '../load/open-http-load.mjs';
import { until } from '../lib/processes.mjs';
import { openRemote } from '../lib/remote.mjs';
import { median } from '../lib/statistics.mjs';

export const sizes = {
  full: { connections: 64, seconds: 4, pairs: 4, lines: 10_000, idleSeconds: 4, warmUpSeconds: 4 },
  quick: { connections: 64, seconds: 1, pairs: 1, lines: 10_000, idleSeconds: 1, warmUpSeconds: 1 },
};

const program = fileURLToPath(new URL('../load/logging-server.mjs', import.meta.url));
const none = { name: 'none', label: 'no lines' };
const create = { suite: 'logs', name: 'POST /tasks, 64 connections', unit: 'req/s', base: none.name };
const perLine = { suite: 'logs', name: 'CPU of a line, on an otherwise idle server', unit: 'µs', better: 'less', base: none.name };

const headers = { 'content-type': 'application/json' };
const body = JSON.stringify({
  name: 'Weekly report',
  type: 'echo',
  parameters: { pages: 12 },
  labels: { team: 'reporting' },
  start: 'auto',
});

/** Both states on one server, turn by turn, each pair the other way round: what a minute does to the machine it does to both. */
export async function run({ servers, size, results, eachSystem, directory, say }) {
  const server = await servers.get('postgres');
  const many = { name: 'many', label: `${size.lines} lines/s` };
  const states = [
    { ...none, lines: 0 },
    { ...many, lines: size.lines },
  ];
  await eachSystem('logs', [{ name: 'pairs', label: 'with and without lines' }], async () => {
    const connection = await server.create();
    const load = openHttpLoad();
    const file = openSync(join(mkdtempSync(join(directory, 'logs-')), 'stdout'), 'a+');
    const remote = openRemote(program, 'logging server', file);
    try {
      const { host, port, user, database } = connection;
      const url = `postgresql://${user}@localhost:${port}/${database}?host=${encodeURIComponent(host)}`;
      const started = await remote.run('start', { environment: { DATABASE_URL: url, LOG_LEVEL: 'info' } });
      const request = { url: `${started.url}/tasks`, method: 'POST', headers, body, connections: size.connections };
      for (const { lines } of states) {
        await remote.run('log', { lines });
        await load.request({ ...request, duration: size.warmUpSeconds });
      }
      const ratios = [];
      for (let pair = 0; pair < size.pairs; pair++) {
        const rates = {};
        for (const state of pair % 2 ? states.toReversed() : states) {
          await remote.run('log', { lines: 0 });
          ftruncateSync(file);
          await remote.run('log', { lines: state.lines });
          const { answered, seconds } = await load.request({ ...request, duration: size.seconds });
          const { logged } = await remote.run('log', { lines: 0 });
          await expectLines(file, logged, state.lines * size.seconds);
          results.add(create, state, answered / seconds);
          rates[state.name] = answered / seconds;
        }
        ratios.push(rates.many / rates.none);
      }
      say(
        `logs: with lines, of the rate without, pair by pair: median ${median(ratios).toFixed(3)} (${ratios.map((ratio) => ratio.toFixed(3)).join(', ')})`,
      );

      const idle = await cpuOf(remote, 0, size.idleSeconds);
      const busy = await cpuOf(remote, size.lines, size.idleSeconds);
      results.add(perLine, many, ((busy.cpuSeconds - idle.cpuSeconds) * 1e6) / busy.logged);
      await remote.run('stop');
    } finally {
      await load.close();
      await remote.kill();
      closeSync(file);
      await server.drop(connection);
    }
  });
}

async function cpuOf(remote, lines, seconds) {
  await remote.run('log', { lines });
  const before = await remote.run('usage');
  await wait(seconds * 1_000);
  const after = await remote.run('usage');
  await remote.run('log', { lines: 0 });
  return { cpuSeconds: after.cpuSeconds - before.cpuSeconds, logged: after.logged - before.logged };
}

/** A rate that was not kept, or lines that never arrived, would flatter the figure. */
async function expectLines(file, logged, wanted) {
  if (logged < wanted * 0.95) throw new Error(`${logged} lines were logged instead of ${wanted}.`);
  // Those of the last turn may still be on their way.
  await until(() => countLines(file) >= logged, { seconds: 5, what: `${logged} lines to be written` });
}

function countLines(file) {
  let count = 0;
  for (const byte of readFileSync(`/proc/self/fd/${file}`)) if (byte === 10) count++;
  return count;
}
