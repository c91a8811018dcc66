import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { EmbeddedPostgresError, messageOf } from './embedded-postgres-error.js';

/** SQLite's result codes: another process holds the lock. */
const SQLITE_BUSY = 5;
/** Where SQLite's file format keeps `user_version`, in which the holder leaves its process id. */
const userVersionOffset = 60;

const heldHere = new Set<string>();

/**
 * Makes this process the only server of `directory` until `release` or its death.
 * The lock is SQLite's, thus the kernel's: unlike a file with a process id, it cannot be left behind by kill -9.
 * Throws `EmbeddedPostgresError` that names the process which holds it.
 */
export function lockDirectory(directory: string): { release(): void } {
  const file = join(directory, 'server.lock');
  // The kernel drops a process's lock when that process closes any handle of the file, so it must not be opened twice here.
  if (heldHere.has(file)) throw new EmbeddedPostgresError(heldBy(directory, process.pid));
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file);
    // In this locking mode the lock of the first transaction is kept until the file is closed.
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    database.exec(`PRAGMA user_version = ${process.pid}; COMMIT`);
  } catch (error) {
    database?.close();
    throw refusal(directory, file, error);
  }
  const held = database;
  heldHere.add(file);
  return {
    release() {
      if (!held.isOpen) return;
      held.close();
      heldHere.delete(file);
    },
  };
}

function refusal(directory: string, file: string, error: unknown): EmbeddedPostgresError {
  const busy = error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY;
  if (busy) return new EmbeddedPostgresError(heldBy(directory, readHolder(file)));
  return new EmbeddedPostgresError(
    `The lock file ${file} cannot be used (${messageOf(error)}). Make sure that this account may write it and that its file system ` +
      'is a local one with file locks, or delete the file if it is damaged. Otherwise set DATA_DIR to another directory.',
  );
}

function heldBy(directory: string, pid: number): string {
  return (
    `Another server (process ${pid}) is using ${directory}. Stop that one first (kill ${pid}), or give this one its own directory ` +
    'with DATA_DIR. Several servers can share one database when DATABASE_URL names a PostgreSQL server.'
  );
}

function readHolder(file: string): number {
  const handle = openSync(file, 'r');
  try {
    const bytes = Buffer.alloc(4);
    readSync(handle, bytes, 0, 4, userVersionOffset);
    return bytes.readInt32BE();
  } finally {
    closeSync(handle);
  }
}
