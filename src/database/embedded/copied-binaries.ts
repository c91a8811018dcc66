import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { linkLibraries } from './binaries.js';
import type { Binaries } from './binaries.js';
import { errorCode } from './embedded-postgres-error.js';

/** The same programs under `copyRoot`, where every account can run them; copied unless an earlier start has. */
export function copyBinaries({ binaries, copyRoot, log }: { binaries: Binaries; copyRoot: string; log: (line: string) => void }): Binaries {
  const target = join(copyRoot, `postgresql-${binaries.version}`);
  if (!existsSync(target)) {
    log(`Copying PostgreSQL's programs (60 MB) to ${target}, where an account other than root can run them.`);
    makeEnterable(copyRoot);
    const unfinished = mkdtempSync(join(copyRoot, '.copying-'));
    cpSync(binaries.root, join(unfinished, 'native'), { recursive: true, verbatimSymlinks: true });
    linkLibraries(unfinished, join(unfinished, 'links'));
    openToAll(unfinished);
    putInPlace(unfinished, target);
  }
  return { ...binaries, root: join(target, 'native'), environment: {} };
}

function putInPlace(unfinished: string, target: string): void {
  try {
    renameSync(unfinished, target);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    // Another server has just put the same copy there.
    if (!['ENOTEMPTY', 'EEXIST'].includes(errorCode(error) ?? '')) throw error;
  }
}

/** The modes may come from an installation under a strict umask. */
function openToAll(directory: string): void {
  chmodSync(directory, 0o755);
  for (const name of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
    const path = join(directory, name);
    const status = statSync(path);
    chmodSync(path, status.mode & 0o100 || status.isDirectory() ? 0o755 : 0o644);
  }
}

/** Creates a directory that every account can enter, whatever the umask says, and returns it. */
export function makeEnterable(directory: string): string {
  mkdirSync(directory, { recursive: true });
  chmodSync(directory, 0o755);
  return directory;
}
