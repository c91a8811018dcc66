import { spawn } from 'node:child_process';
import type { ChildProcess, StdioOptions } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { text } from 'node:stream/consumers';
import { join } from 'node:path';
import type { Binaries } from './binaries.js';

export interface Identity {
  name: string;
  uid: number;
  gid: number;
}

/** How the programs of PostgreSQL are started, and to whom their files belong. */
export interface Account {
  binaries: Binaries;
  owner: Identity;
  /** In a user namespace: the account we seem to be in there. */
  mappedTo?: Identity;
  /** Whether `setpriv` can tie a process to the life of this one. */
  diesWithUs: boolean;
}

/** This process's own account; undefined when /etc/passwd has no entry for it, without which PostgreSQL does not start. */
export function ownIdentity(): Identity | undefined {
  try {
    const { username: name, uid, gid } = userInfo();
    // The group this process is in, not the one of /etc/passwd: files cannot be given to a group we are not in.
    return { name, uid, gid: process.getegid?.() ?? gid };
  } catch {
    return undefined;
  }
}

/** An entry of /etc/passwd by name or user id. */
export function findIdentity(who: string | number, passwd = readPasswd()): Identity | undefined {
  for (const line of passwd.split('\n')) {
    const [name = '', , uid = '', gid = ''] = line.split(':');
    if (uid !== '' && (typeof who === 'number' ? Number(uid) === who : name === who)) return { name, uid: Number(uid), gid: Number(gid) };
  }
  return undefined;
}

function readPasswd(): string {
  try {
    return readFileSync('/etc/passwd', 'utf8');
  } catch {
    return '';
  }
}

/** Starts a program as the account. `onOurDeath` is what it gets when this process dies without a word (Linux). */
export function spawnAs(
  account: Account,
  program: string,
  args: string[],
  options: { stdio: StdioOptions; onOurDeath: 'INT' | 'KILL' },
): ChildProcess {
  const { owner, mappedTo, binaries, diesWithUs } = account;
  const command = [
    ...(mappedTo ? ['unshare', '-U', `--map-user=${mappedTo.uid}`, `--map-group=${mappedTo.gid}`] : []),
    // Set after the change of account, because a process loses it when its user id changes.
    ...(diesWithUs ? ['setpriv', '--pdeathsig', options.onOurDeath] : []),
    program,
    ...args,
  ];
  const changesAccount = !mappedTo && process.geteuid?.() !== owner.uid;
  return spawn(command[0] ?? program, command.slice(1), {
    ...(changesAccount && { uid: owner.uid, gid: owner.gid }),
    // PATH finds setpriv. Nothing else of ours leaks in: PGDATA, PGOPTIONS, LC_* and the like would change what the programs do.
    env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC', ...binaries.environment },
    cwd: '/',
    // Its own process group, or Ctrl-C in a terminal would stop the database under a server that still drains.
    detached: true,
    stdio: options.stdio,
  });
}

/** Runs a program to its end. Rejects only if it cannot be started. */
export async function runAs(account: Account, program: string, args: string[]): Promise<{ ok: boolean; output: string }> {
  const child = spawnAs(account, program, args, { stdio: ['ignore', 'pipe', 'pipe'], onOurDeath: 'KILL' });
  const ended = new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve));
  const [code, ...outputs] = await Promise.all([ended, ...[child.stdout, child.stderr].map((stream) => (stream ? text(stream) : ''))]);
  return { ok: code === 0, output: outputs.join('').trim() };
}

export function programPath(binaries: Binaries, name: 'initdb' | 'postgres'): string {
  return join(binaries.root, 'bin', name);
}
