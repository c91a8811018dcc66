import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { runAs } from './account.js';
import type { Account } from './account.js';
import { EmbeddedPostgresError } from './embedded-postgres-error.js';

/** Signals that stop a postmaster, gentlest first, with the milliseconds each is given. */
const stopSteps = [
  { signal: 'SIGINT', patience: 10_000 }, // fast shutdown: transactions are rolled back, a checkpoint is written
  { signal: 'SIGQUIT', patience: 7_000 }, // immediate shutdown: the next start recovers from the log
  { signal: 'SIGKILL', patience: 5_000 },
] as const;

/** Stops a postmaster. `isRunning` is asked often; `send` delivers a signal to it. Resolves false if nothing helped. */
export async function stopPostmaster(isRunning: () => boolean, send: (signal: NodeJS.Signals) => void): Promise<boolean> {
  for (const { signal, patience } of stopSteps) {
    if (!isRunning()) return true;
    send(signal);
    const deadline = Date.now() + patience;
    while (isRunning() && Date.now() < deadline) await wait(5);
  }
  return !isRunning();
}

/**
 * Ends what still runs on the cluster. To be called by the holder of the directory's lock alone: whoever started it is dead then.
 * Also removes a `postmaster.pid` whose process id belongs to another program by now, before which PostgreSQL would shy away.
 */
export async function stopLeftovers(cluster: string, log: (line: string) => void): Promise<void> {
  const pidFile = join(cluster, 'postmaster.pid');
  if (!existsSync(pidFile)) return;
  const pid = Number.parseInt(readFileSync(pidFile, 'utf8'), 10);
  if (pid > 0 && isPostmaster(pid, cluster)) {
    log(`Stopping a PostgreSQL (process ${pid}) that a killed server left behind.`);
    const stopped = await stopPostmaster(
      () => isPostmaster(pid, cluster),
      (signal) => sendTo(pid, signal),
    );
    if (!stopped) throw new EmbeddedPostgresError(leftoverRefusal(pid, cluster));
  }
  rmSync(pidFile, { force: true });
}

function leftoverRefusal(pid: number, cluster: string): string {
  return `Process ${pid} is a PostgreSQL that still uses ${cluster}, and it could not be stopped. End it (kill ${pid}), then start again.`;
}

function sendTo(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone in the meantime, or not ours: the caller looks whether it still runs.
  }
}

/** Process ids are used again: only a PostgreSQL that works on this very directory counts. */
function isPostmaster(pid: number, cluster: string): boolean {
  return worksIn(pid, cluster) || commandLine(pid).includes(`/postgres -D ${cluster} `);
}

/** False also where we may not look: at another account's process, as root without CAP_SYS_PTRACE (in most containers). */
function worksIn(pid: number, cluster: string): boolean {
  try {
    return isNamedPostgres(pid) && readlinkSync(`/proc/${pid}/cwd`) === cluster;
  } catch {
    return false;
  }
}

/** Sessions change their command line to say what they do, but not this name. */
function isNamedPostgres(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8') === 'postgres\n';
  } catch {
    return false;
  }
}

function commandLine(pid: number): string {
  try {
    if (process.platform === 'linux') return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    return execFileSync('ps', ['-ww', '-p', String(pid), '-o', 'command='], { encoding: 'utf8' });
  } catch {
    return '';
  }
}

/**
 * Sessions outlive a killed postmaster until they next look up from their query, and no other can start until then.
 * Only to be called when the postmaster is gone.
 */
export async function killOrphans(cluster: string, account: Account): Promise<void> {
  if (process.platform !== 'linux') return;
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (pid > 0 && isNamedPostgres(pid) && (worksIn(pid, cluster) || (await worksInAsSeenBy(account, pid, cluster))))
      sendTo(pid, 'SIGKILL');
  }
}

/** The owner of a process may look where root may not. */
async function worksInAsSeenBy(account: Account, pid: number, cluster: string): Promise<boolean> {
  try {
    return (await runAs(account, 'readlink', [`/proc/${pid}/cwd`])).output === cluster;
  } catch {
    return false;
  }
}
