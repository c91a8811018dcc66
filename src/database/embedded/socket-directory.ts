import { chownSync, chmodSync, lstatSync, mkdirSync, mkdtempSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Identity } from './account.js';

/** Linux allows 107 bytes for the path of a socket, macOS 103. */
const longestSocketPath = 103;

/** Not TMPDIR, which may be long itself, or closed to the account that PostgreSQL runs under. */
const temporaryPrefix = '/tmp/arkitect-';

/**
 * A fresh directory for the socket, closed to all but the owner: `run` in `home`, or one in /tmp when that path is too long for
 * a socket or its file system has none. `run` is then a link to it, so that the next start can remove it.
 */
export async function makeSocketDirectory(home: string, owner: Identity): Promise<string> {
  const run = join(home, 'run');
  removeSocketDirectory(home);
  const near = mkdirClosed(run, owner);
  if (await takesSockets(near)) return near;
  removeSocketDirectory(home);
  const far = mkdtempSync(temporaryPrefix);
  chownSync(far, owner.uid, owner.gid);
  symlinkSync(far, run);
  return far;
}

export function removeSocketDirectory(home: string): void {
  const run = join(home, 'run');
  if (lstatSync(run, { throwIfNoEntry: false })?.isSymbolicLink()) {
    const far = readlinkSync(run);
    if (far.startsWith(temporaryPrefix)) rmSync(far, { recursive: true, force: true });
  }
  rmSync(run, { recursive: true, force: true });
}

function mkdirClosed(path: string, owner: Identity): string {
  mkdirSync(path);
  chmodSync(path, 0o700);
  chownSync(path, owner.uid, owner.gid);
  return path;
}

async function takesSockets(directory: string): Promise<boolean> {
  const path = join(directory, '.s.PGSQL.00000');
  if (Buffer.byteLength(path) > longestSocketPath) return false;
  const server = createServer();
  try {
    await once(server.listen(path), 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}
