import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { basename, join } from 'node:path';
import { findIdentity, ownIdentity, programPath, runAs } from './account.js';
import type { Account, Identity } from './account.js';
import type { Binaries } from './binaries.js';
import { copyBinaries, makeEnterable } from './copied-binaries.js';
import { EmbeddedPostgresError, messageOf } from './embedded-postgres-error.js';

/** The ways around PostgreSQL's refusal to run as root, in the order in which they are tried. */
export const rootWays = ['account', 'namespace', 'copy'] as const;
export type RootWay = (typeof rootWays)[number];

export interface Question {
  binaries: Binaries;
  /** DATA_DIR. */
  directory: string;
  /** Where the existing cluster lies: its parent directory and its owner's user id. */
  existing: { home: string; uid: number } | undefined;
  ways: readonly RootWay[];
  /** Parent directory of what `copy` writes; every account can enter it. */
  copyRoot: string;
  log: (line: string) => void;
}

/** Who runs PostgreSQL, and the directory (`home`) that holds or will hold the cluster. */
export interface Choice {
  account: Account;
  home: string;
  way: 'self' | RootWay;
}

const instead = 'Otherwise set DATABASE_URL to a PostgreSQL server (postgres://user:password@host:5432/name) and start again.';

/** Finds by trying how PostgreSQL can run here. Throws `EmbeddedPostgresError` with what was tried. */
export async function chooseAccount(question: Question): Promise<Choice> {
  const { binaries, directory, existing } = question;
  const home = existing?.home ?? directory;
  if (process.geteuid?.() === 0) return chooseForRoot(question, home);
  const self = ownIdentity();
  if (!self) return chooseUnnamed(binaries, home);
  const choice: Choice = { account: { binaries, owner: self, diesWithUs: false }, home, way: 'self' };
  const failure = await trial(choice);
  if (failure) throw new EmbeddedPostgresError(`The embedded PostgreSQL does not run here (${failure}). Correct that. ${instead}`);
  return choice;
}

/** A user id without an entry in /etc/passwd, as some container platforms assign: a namespace may lend it one. */
async function chooseUnnamed(binaries: Binaries, home: string): Promise<Choice> {
  const uid = process.geteuid?.() ?? 0;
  const account = inNamespace(binaries, { name: String(uid), uid, gid: process.getegid?.() ?? 0 });
  const choice: Choice | undefined = account && { account, home, way: 'namespace' };
  if (choice && !(await trial(choice))) return choice;
  throw new EmbeddedPostgresError(unnamedRefusal(uid));
}

export function unnamedRefusal(uid: number): string {
  return (
    `PostgreSQL does not run under a user id without a name, and /etc/passwd has no entry for ${uid}. ` +
    `Add one, or run the server as an account that has one. ${instead}`
  );
}

async function chooseForRoot(question: Question, home: string): Promise<Choice> {
  const { existing, directory, ways, log } = question;
  // Data of an ordinary account stays its own, so that this account can start the server again later.
  const owner = (existing && existing.uid !== 0 ? findIdentity(existing.uid) : undefined) ?? findIdentity('nobody');
  if (!owner || process.platform !== 'linux') throw new EmbeddedPostgresError(rootRefusal([]));
  const failures: string[] = [];
  for (const way of ways) {
    try {
      for (const choice of choicesFor(way, question, owner, home)) {
        const failure = await trial(choice);
        if (!failure) {
          if (choice.home !== home)
            log(`PostgreSQL refuses to run as root, and other accounts cannot enter ${directory}: its data is kept in ${choice.home}.`);
          return choice;
        }
        failures.push(`${way}: ${failure}`);
      }
    } catch (error) {
      failures.push(`${way}: ${messageOf(error)}`);
    }
  }
  throw new EmbeddedPostgresError(rootRefusal(failures));
}

function* choicesFor(way: RootWay, question: Question, owner: Identity, home: string): Generator<Choice> {
  const { binaries, existing } = question;
  if (way === 'account') yield { account: { binaries, owner, diesWithUs: false }, home, way };
  if (way === 'namespace') {
    const account = inNamespace(binaries, { name: 'root', uid: 0, gid: 0 });
    if (account) yield { account, home, way };
  }
  if (way === 'copy') {
    const account = { binaries: copyBinaries(question), owner, diesWithUs: false };
    yield { account, home, way };
    // A cluster is never moved; only a new one can be elsewhere.
    if (!existing) yield { account, home: makeEnterable(copyHome(question)), way };
  }
}

export function rootRefusal(failures: string[]): string {
  return (
    `PostgreSQL refuses to run as root, and no way around that works here${failures.length ? ` (${failures.join('; ')})` : ''}. ` +
    `Run the server as an ordinary account, or put the project and DATA_DIR where other accounts can enter (not under /root). ${instead}`
  );
}

function inNamespace(binaries: Binaries, owner: Identity): Account | undefined {
  const mappedTo = findIdentity('nobody');
  return mappedTo && process.platform === 'linux' ? { binaries, owner, mappedTo, diesWithUs: false } : undefined;
}

/** A directory for each DATA_DIR, named so that a reader can tell which. */
function copyHome({ copyRoot, directory }: Question): string {
  return join(copyRoot, `${basename(directory)}-${createHash('sha256').update(directory).digest('hex').slice(0, 12)}`);
}

/**
 * Whether the account can run PostgreSQL with a cluster in `home`: the reason why not, or undefined.
 * Finds out on the way whether the account's processes can be tied to the life of this one.
 */
async function trial({ account, home }: Choice): Promise<string | undefined> {
  let probe: string | undefined;
  try {
    probe = mkdtempSync(join(home, '.probe-'));
    chownSync(probe, account.owner.uid, account.owner.gid);
    account.diesWithUs = process.platform === 'linux' && !(await runVersion(account, true));
    const failure = account.diesWithUs ? undefined : await runVersion(account, false);
    if (failure) return failure;
    const entered = await runAs(account, 'test', ['-w', probe, '-a', '-x', probe]);
    return entered.ok ? undefined : `it cannot enter ${home}`;
  } catch (error) {
    return messageOf(error);
  } finally {
    if (probe) rmSync(probe, { recursive: true });
  }
}

async function runVersion(account: Account, diesWithUs: boolean): Promise<string | undefined> {
  try {
    const { ok, output } = await runAs({ ...account, diesWithUs }, programPath(account.binaries, 'postgres'), ['--version']);
    return ok ? undefined : output.split('\n')[0] || 'postgres --version ended without a word';
  } catch (error) {
    return messageOf(error);
  }
}
