import { randomUUIDv7 } from 'node:crypto';

/*
 * Task ids are UUIDv7: they begin with the milliseconds of their creation, so a range of times is a range of ids.
 */

let lastMilliseconds = 0;
let counter = 0;

/**
 * A new id, greater than every one that this process made before. Of one millisecond, a counter in the twelve bits after
 * the time keeps the order (RFC 9562, 6.2, method 1), so that a bulk of tasks waits in line as it was given.
 */
export function newTaskId(): string {
  const now = Date.now();
  if (now > lastMilliseconds) [lastMilliseconds, counter] = [now, 0];
  else if (++counter > 0xfff) [lastMilliseconds, counter] = [lastMilliseconds + 1, 0];
  const time = lastMilliseconds.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${counter.toString(16).padStart(3, '0')}-${randomUUIDv7().slice(19)}`;
}

let latest = { prefix: '', time: '' };

/** The time inside an id, RFC 3339. Those of one batch share a few milliseconds, and writing one costs a microsecond. */
export function timeOfId(id: string): string {
  const prefix = id.slice(0, 13);
  if (prefix !== latest.prefix) latest = { prefix, time: new Date(Number.parseInt(prefix.replace('-', ''), 16)).toISOString() };
  return latest.time;
}

/** The smallest id of a moment, given in milliseconds since the epoch. */
export function firstIdAt(milliseconds: number): string {
  const hex = milliseconds.toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}
