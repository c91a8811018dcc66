// Child processes of a measurement, and what the system says of them (Linux: /proc).
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';

/** Kernel clock ticks a second: USER_HZ, 100 on every Linux that Node supports. */
const ticksPerSecond = 100;

/** This process's environment with more in it. */
export function environment(more) {
  // oxlint-disable-next-line node/no-process-env -- children need PATH and HOME like everybody
  const { PATH, HOME } = process.env;
  return { PATH, HOME, ...more };
}

/**
 * Starts a server of somebody else's making, tied to our life: killed -9, we leave nothing behind.
 * `account`: a name to run as when we are root (PostgreSQL refuses to run as root).
 */
export function spawnServer(program, args, { account, ...options } = {}) {
  const identity = account && process.getuid() === 0 ? [`--reuid=${account}`, `--regid=${account}`, '--init-groups'] : [];
  return spawn('setpriv', [...identity, '--pdeathsig=INT', '--', program, ...args], { stdio: ['ignore', 'pipe', 'pipe'], ...options });
}

/** Asks by `signal`, insists by SIGKILL after ten seconds; resolves when the process is gone. */
export async function stopProcess(child, signal = 'SIGTERM') {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await gone;
  clearTimeout(timer);
}

/** Resolves with the first match in the child's output; rejects with all of it when the child ends or `seconds` have passed. */
export function waitForOutput(child, pattern, seconds = 60) {
  let printed = '';
  return new Promise((resolve, reject) => {
    const fail = (what) => reject(new Error(`${child.spawnargs.slice(-4).join(' ')} ${what}:\n${printed}`));
    const timer = setTimeout(() => fail(`was not ready after ${seconds} s`), seconds * 1_000);
    const onData = (chunk) => {
      printed = (printed + chunk).slice(-20_000);
      const match = pattern.exec(printed);
      if (!match) return;
      clearTimeout(timer);
      resolve(match);
    };
    child.stdout.on('data', onData);
    child.stderr.on('data', onData);
    child.once('error', (error) => fail(`could not be started (${error.message})`));
    child.once('exit', () => {
      clearTimeout(timer);
      fail('ended before it was ready');
    });
  });
}

/** Polls a condition; throws when it does not come true in time. */
export async function until(condition, { seconds = 60, everyMs = 20, what }) {
  for (const deadline = performance.now() + seconds * 1_000; ; await wait(everyMs)) {
    if (await condition()) return;
    if (performance.now() > deadline) throw new Error(`Waited ${seconds} s in vain for ${what}.`);
  }
}

/** CPU seconds of a process and its children, the ended ones included that it has waited for. */
export function cpuSeconds(pid) {
  const own = stat(pid);
  const ended = Number(own[13]) + Number(own[14]);
  const living = family(pid).reduce((sum, member) => sum + ownTicks(member), 0);
  return (living + ended) / ticksPerSecond;
}

/** Memory of a process and its children in MB; pages that several share are counted once (PSS). */
export function memoryMb(pid) {
  return family(pid).reduce((sum, member) => sum + pssKb(member), 0) / 1024;
}

function family(pid) {
  const parents = new Map();
  for (const name of readdirSync('/proc')) if (/^\d+$/.test(name)) parents.set(Number(name), Number(stat(name)?.[1] ?? -1));
  const members = new Set([pid]);
  for (let size = 0; size !== members.size;) {
    size = members.size;
    for (const [child, parent] of parents) if (members.has(parent)) members.add(child);
  }
  return [...members];
}

function ownTicks(pid) {
  const fields = stat(pid);
  return fields ? Number(fields[11]) + Number(fields[12]) : 0;
}

/** The fields of /proc/pid/stat after the name, which may hold spaces; undefined when the process is gone. */
function stat(pid) {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1).split(' ');
  } catch {
    return undefined;
  }
}

function pssKb(pid) {
  try {
    return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))[1]);
  } catch {
    return 0;
  }
}
