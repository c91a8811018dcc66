import { hashOf, type AuditRecord, type ChainPoint } from './audit-record.js';

export const problemKinds = ['edited', 'removed', 'reordered', 'cut', 'rewritten'] as const;

/** The first thing that is wrong. */
export interface ChainProblem {
  kind: (typeof problemKinds)[number];
  /** The record at which it shows. */
  seq: number;
  detail: string;
}

/** Follows a chain record by record. */
export class ChainWalk {
  checked = 0;
  problem: ChainProblem | undefined;

  constructor(public at: ChainPoint) {}

  /** The next records in the order of their numbers. Answers whether all is well so far. */
  follow(records: AuditRecord[]): boolean {
    for (const record of records) {
      this.problem = problemOf(this.at, record);
      if (this.problem) return false;
      this.at = record;
      this.checked += 1;
    }
    return true;
  }

  /** Once there are no more: whether this is where the chain is to end. */
  end(head: ChainPoint): boolean {
    if (this.at.seq < head.seq)
      this.problem = cut(this.at.seq + 1, `The log is to end with record ${head.seq}, and ends with ${this.at.seq}.`);
    else if (this.at.hash !== head.hash)
      this.problem = rewritten(head.seq, `Record ${head.seq} is another one than the head of the log names.`);
    return !this.problem;
  }
}

function problemOf(before: ChainPoint, record: AuditRecord): ChainProblem | undefined {
  const { seq } = record;
  if (seq !== before.seq + 1) {
    const missing = seq - before.seq === 2 ? `Record ${before.seq + 1} is` : `Records ${before.seq + 1} to ${seq - 1} are`;
    return { kind: 'removed', seq: before.seq + 1, detail: `${missing} missing.` };
  }
  if (record.previous_hash !== before.hash) {
    const detail = `Record ${seq} does not follow the one before it: one of the two was put there, or rewritten with a hash of its own.`;
    return { kind: 'reordered', seq, detail };
  }
  if (record.hash !== hashOf(record)) return { kind: 'edited', seq, detail: `Record ${seq} does not say what it was hashed with.` };
  return undefined;
}

export function cut(seq: number, detail: string): ChainProblem {
  return { kind: 'cut', seq, detail };
}

export function rewritten(seq: number, detail: string): ChainProblem {
  return { kind: 'rewritten', seq, detail };
}
