import { writeFileSync } from 'node:fs';

/** A task as an answer of the server or an event showed it. */
export interface Seen {
  id: string;
  status: string;
  attempt: number;
  version: number;
}

/** What a subscriber of Socket.IO received. Log lines carry no version. */
export interface SeenEvent {
  seq: number;
  action: string;
  id: string;
  status: string | undefined;
  version: number | undefined;
}

export type Happening =
  /** A create with an Idempotency-Key is about to be sent; it stands for `size` tasks. */
  | { kind: 'asked'; key: string; size: number }
  /** The server said yes: this must be true for ever after. */
  | { kind: 'acknowledged'; request: 'create' | 'execute' | 'cancel' | 'retry'; key?: string; tasks: Seen[] }
  /** An answer that no fault explains. */
  | { kind: 'unexpected'; request: string; answer: string }
  /** A create was refused with 503 for a fault that is meant to do that. */
  | { kind: 'refused'; why: string }
  | { kind: 'event'; watcher: string; event: SeenEvent }
  | { kind: 'resumed'; watcher: string; since: number }
  | { kind: 'fault'; fault: string; target: string; phase: 'begins' | 'is over' }
  /** The process of a replica ended (`killed`), or stood still until `until` (milliseconds since the epoch). */
  | { kind: 'killed'; process: number }
  | { kind: 'frozen'; process: number; until: number }
  /** What the harness itself found wrong while it ran. */
  | { kind: 'wrong'; rule: string; what: string };

/** `at`: milliseconds since the epoch. */
export type Entry = { at: number } & Happening;

/** Everything that clients were told, in order. The clients' side of the story, to hold against the database. */
export class History {
  readonly entries: Entry[] = [];

  add(happening: Happening): void {
    this.entries.push({ at: Date.now(), ...happening });
  }

  writeTo(file: string): void {
    writeFileSync(file, this.entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
  }
}

/** The entries of one kind. */
export function ofKind<K extends Entry['kind']>(entries: readonly Entry[], kind: K): Extract<Entry, { kind: K }>[] {
  return entries.filter((entry): entry is Extract<Entry, { kind: K }> => entry.kind === kind);
}
