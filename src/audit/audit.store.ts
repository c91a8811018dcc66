import { Injectable } from '@nestjs/common';
import { Database, statement, type Queryable } from '../database/database.js';
import { chained, type AuditEntry, type AuditRecord, type ChainPoint } from './audit-record.js';
import { auditQuery, type AuditFilters } from './audit-query.js';

export interface AuditHead extends ChainPoint {
  /** The last record that retention has removed. */
  anchor_seq: number;
  anchor_hash: string;
  /** The number of the last record that there is; null without any. */
  last_seq: number | null;
}

const columnNames = [
  'seq',
  'at',
  'tenant_id',
  'principal',
  'role',
  'door',
  'operation',
  'target',
  'before',
  'after',
  'outcome',
  'request_id',
  'trace_id',
  'address',
  'previous_hash',
  'hash',
] as const satisfies (keyof AuditRecord)[];
const columns = columnNames.join(', ');
const columnTypes = columnNames.map((name) => ({ seq: 'bigint', at: 'timestamptz' })[name as string] ?? 'text');

// The head as one statement sees it, so that no record is appended between the two looks.
const headStatement = statement<AuditHead>(
  'audit_head',
  'SELECT seq, hash, anchor_seq, anchor_hash, (SELECT max(l.seq) FROM audit_log l) AS last_seq FROM audit_head',
);
const lockStatement = statement<ChainPoint>('lock_audit_head', 'SELECT seq, hash FROM audit_head FOR UPDATE');
// Nothing is appended unless the head still is the one that the records were chained to.
const appendStatement = statement<{ seq: number }>(
  'append_audit',
  `WITH moved AS (
  UPDATE audit_head SET seq = $3, hash = $4 WHERE seq = $1 AND hash = $2 RETURNING 1
)
INSERT INTO audit_log (${columns})
SELECT ${columns.replace('before, after', 'before::json, after::json')}
FROM unnest(${columnTypes.map((type, index) => `$${index + 5}::${type}[]`).join(', ')}) AS i(${columns})
WHERE EXISTS (SELECT FROM moved)
RETURNING seq`,
);
const chainStatement = statement<AuditRecord>(
  'audit_chain',
  `SELECT ${columns} FROM audit_log WHERE seq > $1 AND seq <= $2 ORDER BY seq LIMIT $3`,
);
const pruneStatement = statement<{ pruned: number }>('prune_audit', 'SELECT prune_audit_log($1, $2) AS pruned');

/** SQL of the audit log. */
@Injectable()
export class AuditStore {
  /** The last record, as far as this replica knows. */
  private head: ChainPoint | undefined;

  constructor(private readonly database: Database) {}

  /** All of them in one statement, at the end of the one chain of all replicas. */
  async append(entries: AuditEntry[]): Promise<void> {
    const { head } = this;
    this.head = undefined;
    const last = (head && (await appendTo(this.database.api, head, entries))) ?? (await this.appendLocked(entries));
    this.head = last;
  }

  /** For when another replica was faster: nobody is, from here on. */
  private appendLocked(entries: AuditEntry[]): Promise<ChainPoint> {
    return this.database.api.transaction(async (transaction) => {
      const [head] = await transaction.query(lockStatement);
      const last = head && (await appendTo(transaction, head, entries));
      if (!last) throw new Error('The head of the audit log is missing.');
      return last;
    });
  }

  async readHead(): Promise<AuditHead> {
    const [head] = await this.database.api.query(headStatement);
    if (!head) throw new Error('The head of the audit log is missing.');
    return head;
  }

  /** Oldest first, after one number and up to another. */
  chain(after: number, through: number, limit: number): Promise<AuditRecord[]> {
    return this.database.api.query(chainStatement, [after, through, limit]);
  }

  find(filters: AuditFilters): Promise<AuditRecord[]> {
    const { text, values } = auditQuery(columns, filters);
    return this.database.api.queryText(text, values);
  }

  /** One batch of the oldest; answers how many have left. */
  async prune(days: number, limit: number): Promise<number> {
    return (await this.database.loops.query(pruneStatement, [days, limit]))[0]!.pruned;
  }
}

/** The new head; undefined when the chain ends elsewhere by now. */
async function appendTo(db: Queryable, head: ChainPoint, entries: AuditEntry[]): Promise<ChainPoint | undefined> {
  const records = chained(head, entries);
  const { seq, hash } = records.at(-1)!;
  const added = await db.query(appendStatement, [
    head.seq,
    head.hash,
    seq,
    hash,
    ...columnNames.map((name) => records.map((record) => stored(name, record))),
  ]);
  return added.length > 0 ? { seq, hash } : undefined;
}

function stored(name: (typeof columnNames)[number], record: AuditRecord): string | number | null {
  if (name === 'before' || name === 'after') return record[name] === null ? null : JSON.stringify(record[name]);
  return record[name];
}
