// Side by side, in one go, on one machine. `npm run bench -- --help` says how.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { cpuTimes, describeMachine } from './lib/machine.mjs';
import { toSvg } from './lib/plot.mjs';
import { killRemotes } from './lib/remote.mjs';
import { Results } from './lib/results.mjs';
import { makeScratch } from './lib/scratch.mjs';
import { toTable } from './lib/table.mjs';
import { Servers } from './servers/servers.mjs';
import * as alerts from './suites/alerts.mjs';
import * as config from './suites/config.mjs';
import * as cost from './suites/cost.mjs';
import * as growth from './suites/growth.mjs';
import * as latency from './suites/latency.mjs';
import * as logs from './suites/logs.mjs';
import * as metrics from './suites/metrics.mjs';
import * as queue from './suites/queue.mjs';
import * as realtime from './suites/realtime.mjs';
import * as replicas from './suites/replicas.mjs';
import * as rules from './suites/rules.mjs';
import * as service from './suites/service.mjs';
import * as workers from './suites/workers.mjs';
import { systems } from './systems/systems.mjs';

const suites = { queue, latency, cost, service, replicas, growth, realtime, workers, metrics, alerts, rules, logs, config };
const byDefault = ['queue', 'latency', 'cost', 'service', 'replicas'];
const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));

const usage = `npm run bench -- [suites] [options]

Suites: ${Object.keys(suites).join(', ')}. Without any: ${byDefault.join(', ')}.
  --quick            one round of small sizes: shows that everything runs, not how fast it is
  --rounds N         rounds over all systems (5; with --quick 1)
  --only a,b         only these systems, services, states or ways (${systems.map(({ name }) => name).join(', ')}, …)
  --directory DIR    where the databases go (the system's directory for temporary files)
  --minutes N        give up after this long (240; with --quick 5)`;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    only: { type: 'string' },
    directory: { type: 'string' },
    minutes: { type: 'string' },
    help: { type: 'boolean' },
  },
});
const unknown = positionals.filter((name) => !(name in suites));
if (options.help || unknown.length) {
  console.log(unknown.length ? `There is no suite ${unknown.join(', ')}.\n\n${usage}` : usage);
  process.exit(unknown.length ? 1 : 0);
}

const chosen = positionals.length ? positionals : byDefault;
const rounds = Number(options.rounds ?? (options.quick ? 1 : 5));
const only = options.only?.split(',');
const results = new Results();
const begunAt = new Date();
const begun = performance.now();
const scratch = makeScratch(options.directory);
const servers = new Servers(scratch.directory);

let stopping = false;
let cleaning;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => void stop(`Stopped by ${signal}.`));
const minutes = Number(options.minutes ?? (options.quick ? 5 : 240));
setTimeout(() => void stop(`Gave up after ${minutes} minutes.`), minutes * 60_000).unref();

try {
  const machine = describeMachine(scratch.directory);
  if (machine.memory_file_system) say(`${scratch.directory} is in memory: fsync costs nothing there. Choose a disk with --directory.`);
  if (chosen.includes('service')) compilePeer();
  const before = cpuTimes();
  for (const name of chosen) await runSuite(name);
  const after = cpuTimes();
  machine.cpu_stolen_percent = Math.round(((after.steal - before.steal) / (after.total - before.total)) * 1_000) / 10;
  machine.servers = await servers.versions();
  report(machine);
} catch (error) {
  if (!stopping) console.error(error);
  process.exitCode = 1;
} finally {
  await cleanUp();
}
process.exit();

/** A suite calls `eachSystem` once; it goes round by round over all of them, so that a slow minute hits all alike. */
async function runSuite(name) {
  const size = suites[name].sizes[options.quick ? 'quick' : 'full'];
  const context = { systems, servers, size, results, directory: scratch.directory, say };
  await suites[name].run({
    ...context,
    async eachSystem(suite, all, measure) {
      const taking = only ? all.filter((system) => only.includes(system.name)) : all;
      for (let round = 0; round < rounds; round++) {
        for (let turn = 0; turn < taking.length; turn++) {
          // Each round begins with another one: who follows whom changes nothing then.
          const system = taking[(turn + round) % taking.length];
          say(`${suite}, round ${round + 1} of ${rounds}: ${system.label}`);
          await measure(system).catch((error) => fail(suite, system, error));
        }
      }
    },
  });
}

function fail(suite, system, error) {
  if (stopping) throw error;
  results.fail(suite, system, error);
  console.error(`\n${suite}, ${system.label}: ${error.stack}\n`);
}

function compilePeer() {
  const compiler = path('../node_modules/typescript7/bin/tsc');
  const { status } = spawnSync(process.execPath, [compiler, '-p', path('peers/nest-bullmq/tsconfig.json')], { stdio: 'inherit' });
  if (status !== 0) throw new Error('bench/peers/nest-bullmq does not compile; the compiler says why above.');
}

function report(machine) {
  const summary = results.summary();
  const { failures } = results;
  const minutesTaken = Math.round((performance.now() - begun) / 6_000) / 10;
  const about = `${machine.cpu}, ${machine.cores} cores, ${machine.memory_gb} GB, Linux ${machine.kernel}, Node ${machine.node}`;
  const kind = options.quick ? '--quick, not for comparing' : `${rounds} rounds`;
  const caption = `${begunAt.toISOString().slice(0, 10)}, ${kind}; ${machine.cpu}, ${machine.cores} cores, Node ${machine.node}`;
  console.log(`\n${toTable(summary)}\n`);
  console.log(`${about}, commit ${machine.commit}`);
  console.log(Object.values(machine.servers).join('; '));
  console.log(
    Object.entries(machine.packages)
      .map(([name, version]) => `${name} ${version}`)
      .join(', '),
  );
  console.log(
    `fsync of 8 KiB: median ${machine.fsync_ms_median} ms, p99 ${machine.fsync_ms_p99} ms; load average before: ` +
      `${machine.load_average_before.toFixed(2)}; CPU taken by other machines: ${machine.cpu_stolen_percent} %; ${minutesTaken} minutes`,
  );
  if (options.quick) console.log('One short round only: these figures show that everything runs, nothing else.');
  for (const { suite, system, message } of failures) console.log(`NOT MEASURED: ${suite}, ${system}: ${message}`);
  if (failures.length) process.exitCode = 1;

  mkdirSync(path('results'), { recursive: true });
  const file = path(`results/${begunAt.toISOString().replaceAll(':', '-').slice(0, 19)}${options.quick ? '-quick' : ''}`);
  const record = {
    begun_at: begunAt,
    minutes: minutesTaken,
    suites: chosen,
    rounds,
    quick: options.quick,
    machine,
    measures: summary,
    failures,
  };
  writeFileSync(`${file}.json`, `${JSON.stringify(record, null, 2)}\n`);
  writeFileSync(`${file}.svg`, toSvg(summary, caption));
  console.log(`Written: ${file}.json and .svg`);
}

function say(line) {
  console.error(`${String(Math.round((performance.now() - begun) / 1_000)).padStart(5)} s  ${line}`);
}

async function stop(why) {
  if (stopping) return;
  stopping = true;
  console.error(`${why} Cleaning up.`);
  killRemotes();
  await cleanUp();
  process.exit(1);
}

/** Once, whoever asks first. */
function cleanUp() {
  cleaning ??= servers.stop().finally(() => scratch.remove());
  return cleaning;
}
