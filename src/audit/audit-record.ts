import { createHash } from 'node:crypto';
import type { Role } from '../auth/principal.js';
import { canonicalJson } from '../input/canonical-json.js';

export const doors = ['rest', 'socket.io', 'grpc'] as const;
export type Door = (typeof doors)[number];

/** What is to be recorded. */
export interface AuditEntry {
  /** RFC 3339, by the clock of the replica. */
  at: string;
  tenant_id: string;
  principal: string;
  role: Role;
  door: Door;
  /** As the access policy names it. */
  operation: string;
  /** The id of what was changed. */
  target: string | null;
  before: unknown;
  after: unknown;
  /** `ok`, or the code of the error. */
  outcome: string;
  request_id: string | null;
  trace_id: string | null;
  /** Where the connection came from; no header is believed. */
  address: string | null;
}

/** A link of the chain. */
export interface AuditRecord extends AuditEntry {
  seq: number;
  previous_hash: string;
  hash: string;
}

/** A place in the chain: after this record. */
export interface ChainPoint {
  seq: number;
  hash: string;
}

/** Before the first record. */
export const chainStart: ChainPoint = { seq: 0, hash: '0'.repeat(64) };

/** SHA-256 of the record as RFC 8785 writes it, without its own hash. */
export function hashOf({ hash: _own, ...content }: AuditRecord): string {
  return createHash('sha256').update(canonicalJson(content)).digest('hex');
}

/** The records that come after `head`. */
export function chained(head: ChainPoint, entries: AuditEntry[]): AuditRecord[] {
  let { seq, hash } = head;
  return entries.map((entry) => {
    seq += 1;
    const record = { seq, ...entry, previous_hash: hash, hash: '' };
    hash = record.hash = hashOf(record);
    return record;
  });
}

const maxBytes = 16 * 1024;
const shownCharacters = 4_096;
/** Services leave secrets out; should one forget, a field of such a name is not kept. */
const secretName = /^(password|secret|token|bearer_token|api_key|authorization|cookie)$/i;

/** Of two objects the fields that differ: what stayed as it was says nothing. */
export function differing(before: unknown, after: unknown): { before: unknown; after: unknown } {
  if (!isObject(before) || !isObject(after)) return { before, after };
  const differs = (key: string) => canonicalJson(before[key]) !== canonicalJson(after[key]);
  const pick = (side: Record<string, unknown>) => Object.fromEntries(Object.entries(side).filter(([key]) => differs(key)));
  return { before: pick(before), after: pick(after) };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A value as it is kept: JSON of at most 16 KiB. Of a larger one its beginning, and its digest. */
export function kept(value: unknown): unknown {
  if (value === undefined || value === null) return null;
  const text = JSON.stringify(value, (key, child: unknown) =>
    secretName.test(key) && child !== null ? '(not kept)' : child,
  ).toWellFormed();
  const bytes = Buffer.byteLength(text);
  if (bytes <= maxBytes) return JSON.parse(text);
  const sha256 = createHash('sha256').update(text).digest('hex');
  return { cut: true, bytes, sha256, begins: text.slice(0, shownCharacters).toWellFormed() };
}
