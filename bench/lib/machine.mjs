import { execFileSync } from 'node:child_process';
import { closeSync, fdatasyncSync, openSync, readFileSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { median, percentile } from './statistics.mjs';

const bench = new URL('../', import.meta.url);
const tmpfs = 0x01021994;
const compared = ['bullmq', 'pg-boss', 'graphile-worker', 'ioredis', 'pg', 'fastify', '@nestjs/core', 'autocannon'];

/** What the figures depend on; `directory` is where the databases are. */
export function describeMachine(directory) {
  const processors = cpus();
  return {
    cpu: processors[0].model.trim(),
    cores: processors.length,
    memory_gb: Math.round(totalmem() / 1024 ** 3),
    kernel: release(),
    node: process.version,
    commit: commit(),
    packages: Object.fromEntries(compared.map((name) => [name, versionOf(name)])),
    ...fsyncProbe(directory),
    memory_file_system: statfsSync(directory).type === tmpfs,
    load_average_before: loadavg()[0],
  };
}

/** Milliseconds that 8 KiB take to reach the disk: what a durable commit waits for at least. */
function fsyncProbe(directory) {
  const path = join(directory, 'fsync-probe');
  const file = openSync(path, 'w');
  const page = Buffer.alloc(8_192, 1);
  const times = Array.from({ length: 200 }, (_, n) => {
    const begun = performance.now();
    writeSync(file, page, 0, page.length, n * page.length);
    fdatasyncSync(file);
    return performance.now() - begun;
  });
  closeSync(file);
  rmSync(path);
  return { fsync_ms_median: round(median(times)), fsync_ms_p99: round(percentile(times, 0.99)) };
}

/** CPU time of all cores since the start of the machine, and how much of it the host gave to others. Shares of it tell a noisy run. */
export function cpuTimes() {
  const [user, nice, system, idle, iowait, irq, softirq, steal] = readFileSync('/proc/stat', 'utf8')
    .split('\n')[0]
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return { steal, total: user + nice + system + idle + iowait + irq + softirq + steal };
}

function versionOf(name) {
  return JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, bench), 'utf8')).version;
}

/** Of the product that was measured; `+` when it was changed since. */
function commit() {
  try {
    const git = (...args) =>
      execFileSync('git', args, { cwd: fileURLToPath(bench), encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    return git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain', '--', '../src', '../migrations') ? '+' : '');
  } catch {
    return 'unknown';
  }
}

function round(value) {
  return Math.round(value * 1_000) / 1_000;
}
