// npm run measure: time to ready, memory when idle, and time to stop, of the server with its embedded database. Linux only.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureBuilt, ensureInstalled, localNode, root, runScript } from './setup.mjs';

const rounds = 5;
/** Connections that only the start needed are closed after 30 s. */
const idleMs = 40_000;

await runScript(async () => {
  ensureInstalled();
  ensureBuilt();
  const directory = mkdtempSync(join(tmpdir(), 'arkitect-measure-'));
  try {
    const first = await measure(directory, 0);
    const later = [];
    for (let round = 0; round < rounds; round++) later.push(await measure(directory, round === rounds - 1 ? idleMs : 1_000));
    const idle = later.at(-1);
    console.log(`Machine: ${cpus().length} × ${cpus()[0].model}, ${process.platform} ${process.arch}`);
    console.log(`First start to ready, database created   ${first.readyMs} ms`);
    console.log(
      `Start to ready on an existing directory  ${median(later, 'readyMs')} ms (median of ${rounds}, ${range(later, 'readyMs')})`,
    );
    console.log(`Stop when idle                           ${median(later, 'stopMs')} ms (${range(later, 'stopMs')})`);
    console.log(`Queries of an idle replica               ${idle.queriesPerSecond.toFixed(1)} a second`);
    console.log(`Idle memory, server and database         ${idle.pssMb} MB (proportional set size of ${idle.processes} processes)`);
    console.log(`  of which the server                    ${idle.serverMb} MB resident`);
    console.log(
      `  resident sets added up                 ${idle.rssMb} MB (counts memory that PostgreSQL's processes share once for each)`,
    );
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

async function measure(directory, waitMs) {
  const startedAt = performance.now();
  const server = spawn(localNode(), ['--enable-source-maps', 'dist/main.js'], {
    cwd: root,
    env: { ...process.env, DATA_DIR: directory, PORT: '0', GRPC_PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const chunk of server.stdout.iterator({ destroyOnReturn: false })) if (String(chunk).includes('is ready')) break;
  const readyMs = Math.round(performance.now() - startedAt);
  server.stdout.resume();
  // Before PostgreSQL's own autovacuum comes by, once a minute, whose transactions count, too.
  const queriesPerSecond = waitMs === idleMs ? await idleQueries(directory) : undefined;
  await new Promise((resolve) => setTimeout(resolve, waitMs));
  const memory = memoryOf(family(server.pid), server.pid);
  const stoppingAt = performance.now();
  server.kill('SIGINT');
  await once(server, 'exit');
  return { readyMs, stopMs: Math.round(performance.now() - stoppingAt), queriesPerSecond, ...memory };
}

/** Statements that reach the database while nothing is to do, by its own count of transactions. */
async function idleQueries(directory) {
  // The start is over, and its transactions have reached the statistics, which may take ten seconds.
  await new Promise((resolve) => setTimeout(resolve, 15_000));
  const { default: pg } = await import('pg');
  const client = new pg.Client({ host: join(directory, 'run'), user: 'arkitect', database: 'postgres' });
  await client.connect();
  const count = async () => {
    await client.query('SELECT pg_stat_clear_snapshot()');
    return Number((await client.query('SELECT sum(xact_commit + xact_rollback) AS count FROM pg_stat_database')).rows[0].count);
  };
  const before = await count();
  await new Promise((resolve) => setTimeout(resolve, 20_000));
  const after = await count();
  await client.end();
  // The two counts are transactions themselves.
  return (after - before - 2) / 20;
}

/** The process and all its descendants. */
function family(pid) {
  const parents = new Map();
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      parents.set(Number(name), Number(readFileSync(`/proc/${name}/stat`, 'utf8').split(') ')[1].split(' ')[1]));
    } catch {
      // It ended while we looked.
    }
  }
  const members = new Set([pid]);
  for (let size = 0; size !== members.size;) {
    size = members.size;
    for (const [child, parent] of parents) if (members.has(parent)) members.add(child);
  }
  return [...members];
}

function memoryOf(pids, serverPid) {
  const kb = (pid, field) => Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))[1]);
  const sum = (field) => Math.round(pids.reduce((total, pid) => total + kb(pid, field), 0) / 1024);
  return { processes: pids.length, pssMb: sum('Pss'), rssMb: sum('Rss'), serverMb: Math.round(kb(serverPid, 'Rss') / 1024) };
}

function median(results, field) {
  return results.map((result) => result[field]).sort((a, b) => a - b)[Math.floor(results.length / 2)];
}

function range(results, field) {
  const values = results.map((result) => result[field]);
  return `${Math.min(...values)} to ${Math.max(...values)}`;
}
