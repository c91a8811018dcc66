import { Injectable } from '@nestjs/common';
import type { Principal } from '../auth/principal.js';
import { pageOf, type Page } from '../input/page.js';
import { chainStart, type AuditRecord, type ChainPoint } from './audit-record.js';
import type { ExportAuditDto, ListAuditDto, VerifyAuditDto } from './audit.dto.js';
import { AuditStore } from './audit.store.js';
import { ChainWalk, cut, rewritten, type ChainProblem } from './verify.js';

/** Read in one statement; each may hold twice 16 KiB. */
const pageSize = 200;
/** Records that the hourly check reads at most. */
const maxNew = 100_000;

export interface AuditVerdict {
  valid: boolean;
  problem: ChainProblem | null;
  /** Records that are as they were written. */
  checked: number;
  /** The first record that is kept: retention has removed those before it. */
  from_seq: number;
  /** Where the log ends: keep it, and hand it in next time. */
  head: string;
  /** Whether the `head` that was handed in was found; null without one, or when retention has removed its record. */
  head_found: boolean | null;
}

/** What clients do with the audit log, for all doors alike. */
@Injectable()
export class AuditService {
  constructor(private readonly store: AuditStore) {}

  async list(caller: Principal, { cursor, limit, ...filters }: ListAuditDto): Promise<Page<AuditRecord, number>> {
    const before = cursor === undefined ? {} : { before: cursor };
    const records = await this.store.find({ ...filters, ...before, tenant_id: tenantOf(caller), limit: limit + 1 });
    return pageOf(records, limit, ({ seq }) => seq);
  }

  /** Oldest first, up to the record that was the last when this began. */
  async *export(caller: Principal, { after = 0, ...filters }: ExportAuditDto, signal: AbortSignal): AsyncGenerator<AuditRecord[]> {
    const { seq: last } = await this.store.readHead();
    let from = after;
    while (!signal.aborted) {
      const records = await this.store.find({ ...filters, tenant_id: tenantOf(caller), after: from, before: last + 1, limit: pageSize });
      if (records.length > 0) yield records;
      if (records.length < pageSize) return;
      from = records.at(-1)!.seq;
    }
  }

  /** Follows the chain, all that is kept of it. */
  async verify({ head: given }: VerifyAuditDto): Promise<AuditVerdict> {
    const head = await this.store.readHead();
    const anchor = { seq: head.anchor_seq, hash: head.anchor_hash };
    const walk = new ChainWalk(anchor);
    const expected = given === undefined ? undefined : pointOf(given);
    let found = expected && isSame(expected, walk.at);
    await this.follow(walk, head, (record) => (found ||= expected && isSame(record, expected)));
    if (!walk.problem && walk.end(head)) walk.problem = beyond(head.seq, head.last_seq) ?? missed(expected, found, head);
    const tooOld = expected !== undefined && !found && expected.seq < anchor.seq;
    return {
      valid: !walk.problem,
      problem: walk.problem ?? null,
      checked: walk.checked,
      from_seq: anchor.seq + 1,
      head: `${walk.at.seq}:${walk.at.hash}`,
      head_found: expected === undefined || tooOld ? null : found === true,
    };
  }

  /** Follows what was appended since the last time, of an old log its end alone. Answers where it is in order up to, and what is wrong. */
  async verifyNew(known: ChainPoint | undefined): Promise<{ at: ChainPoint; problem: ChainProblem | undefined }> {
    const head = await this.store.readHead();
    const from = Math.max(known?.seq ?? 0, head.seq - maxNew);
    const anchor = { seq: head.anchor_seq, hash: head.anchor_hash };
    const [first] = from > anchor.seq && from !== known?.seq ? await this.store.chain(from - 1, from, 1) : [];
    const walk = new ChainWalk(from <= anchor.seq ? anchor : (first ?? known ?? anchor));
    await this.follow(walk, head);
    if (!walk.problem && walk.end(head)) walk.problem = beyond(head.seq, head.last_seq);
    return { at: { seq: walk.at.seq, hash: walk.at.hash }, problem: walk.problem };
  }

  private async follow(walk: ChainWalk, head: ChainPoint, see: (record: AuditRecord) => void = () => undefined): Promise<void> {
    while (walk.at.seq < head.seq) {
      const records = await this.store.chain(walk.at.seq, head.seq, pageSize);
      if (records.length === 0 || !walk.follow(records)) return;
      records.forEach(see);
    }
  }
}

/** Root sees what all tenants have done. */
function tenantOf({ role, tenant_id }: Principal): string | undefined {
  return role === 'root' ? undefined : tenant_id;
}

function pointOf(head: string): ChainPoint {
  const [seq, hash] = head.split(':');
  return { seq: Number(seq), hash: hash! };
}

function isSame(a: ChainPoint, b: ChainPoint): boolean {
  return a.seq === b.seq && a.hash === b.hash;
}

/** Records after the one that the head names: nobody appends like that. */
function beyond(seq: number, last: number | null): ChainProblem | undefined {
  return last !== null && last > seq
    ? rewritten(seq + 1, `The head of the log names record ${seq}, and there are records up to ${last}.`)
    : undefined;
}

/** Whoever rewrites the log and its head cannot rewrite what somebody else has kept of it. */
function missed(
  expected: ChainPoint | undefined,
  found: boolean | undefined,
  head: ChainPoint & { anchor_seq: number },
): ChainProblem | undefined {
  if (!expected || found || expected.seq < head.anchor_seq || isSame(expected, chainStart)) return undefined;
  return expected.seq > head.seq
    ? cut(head.seq + 1, `You know record ${expected.seq}, and the log ends with ${head.seq}.`)
    : rewritten(expected.seq, `Record ${expected.seq} is another one than the one you know.`);
}
