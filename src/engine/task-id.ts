/*
 * Task ids are UUIDv7: they begin with the milliseconds of their creation, so a range of times is a range of ids.
 */

/** The time inside an id, RFC 3339. */
export function timeOfId(id: string): string {
  return new Date(Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)).toISOString();
}

/** The smallest id of a moment, given in milliseconds since the epoch. */
export function firstIdAt(milliseconds: number): string {
  const hex = milliseconds.toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}
