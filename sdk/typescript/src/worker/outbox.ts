import type { Complete, Fail, Lease, LogLine, Settle } from '../generated/arkitect/v1/worker_service.js';
import { maxLines, maxResults, maxWaitingLines, maxWeight, weightOfJson, weightOfText } from './limits.js';
import type { Outcome } from './outcome.js';
import type { Report } from './report.js';

/** An attempt that is over here. */
export interface Ended {
  lease: Lease;
  /** What must be told before its end. */
  report: Report;
}

/** A result on its way: kept until the server has acknowledged it. */
interface Result extends Ended {
  outcome: { complete: Complete } | { fail: Fail };
  weight: number;
}

/** Bytes that a lease and the framing around it take at most. */
const framing = 200;

/** What waits to be sent, and what was sent and not acknowledged. It outlives the streams. */
export class Outbox {
  #lines: LogLine[] = [];
  #rejected: Ended[] = [];
  #results: Result[] = [];
  readonly #sent = new Map<number, Result[]>();
  #sentCount = 0;
  #lastSettleId = 0;

  /** Results that are not acknowledged, sent or not. */
  get unacknowledged(): number {
    return this.#results.length + this.#sentCount;
  }

  get isEmpty(): boolean {
    return this.unacknowledged === 0 && this.#lines.length === 0 && this.#rejected.length === 0;
  }

  get hasLines(): boolean {
    return this.#lines.length > 0;
  }

  /** Attempts whose leases are to be kept alive: results that are not acknowledged, and what is to be handed back. */
  *ended(): Generator<Ended> {
    for (const batch of this.#sent.values()) yield* batch;
    yield* this.#results;
    yield* this.#rejected;
  }

  addLine(line: LogLine): void {
    if (this.#lines.length < maxWaitingLines) this.#lines.push(line);
  }

  addOutcome(lease: Lease, report: Report, outcome: Outcome): void {
    if (outcome.kind === 'completed')
      this.#results.push({ lease, report, outcome: { complete: outcome.complete }, weight: outcome.weight });
    if (outcome.kind === 'failed') this.#results.push({ lease, report, outcome: { fail: outcome.fail }, weight: outcome.weight });
    if (outcome.kind === 'handed back') this.#rejected.push({ lease, report });
  }

  /** What goes back to its queue, and has nothing left to tell. */
  takeRejected(): Lease[] {
    const ready = this.#rejected.filter(({ report }) => !report.isPending);
    if (ready.length > 0) this.#rejected = this.#rejected.filter(({ report }) => report.isPending);
    return ready.map(({ lease }) => lease);
  }

  /** The lines of one message. */
  takeLines(): LogLine[] {
    const count = fitting(this.#lines, maxLines, weightOfLine);
    return this.#lines.splice(0, count);
  }

  /** Whether something waits whose report is to be told before it. */
  get needsReport(): boolean {
    return [this.#results, this.#rejected].some((ended) => ended.some(({ report }) => report.isPending));
  }

  /** The results of one message: those before which nothing is left to tell. */
  takeSettle(): Settle | undefined {
    const ready = this.#results.filter(({ report }) => !report.isPending);
    const batch = ready.slice(
      0,
      fitting(ready, maxResults, ({ weight }) => weight),
    );
    if (batch.length === 0) return undefined;
    const taken = new Set(batch);
    this.#results = batch.length === this.#results.length ? [] : this.#results.filter((result) => !taken.has(result));
    const settleId = ++this.#lastSettleId;
    this.#sent.set(settleId, batch);
    this.#sentCount += batch.length;
    const complete = batch.flatMap(({ outcome }) => ('complete' in outcome ? [outcome.complete] : []));
    const fail = batch.flatMap(({ outcome }) => ('fail' in outcome ? [outcome.fail] : []));
    return { complete, fail, settleId };
  }

  acknowledge(settleId: number): void {
    this.#sentCount -= this.#sent.get(settleId)?.length ?? 0;
    this.#sent.delete(settleId);
  }

  /** The stream broke: what it carried and nobody acknowledged is sent again, before all else. */
  resend(): void {
    this.#results = [...[...this.#sent.values()].flat(), ...this.#results];
    this.#sent.clear();
    this.#sentCount = 0;
    for (const { report } of this.ended()) report.repeat();
  }

  /** These leases are gone: what was to be said under them is not wanted. What was sent is left to its acknowledgement. */
  drop(tokens: ReadonlySet<string>): void {
    const keep = ({ lease }: { lease?: Lease | undefined }): boolean => !tokens.has(lease?.leaseToken ?? '');
    this.#results = this.#results.filter(keep);
    this.#lines = this.#lines.filter(keep);
    this.#rejected = this.#rejected.filter(keep);
  }
}

/** How many of the first items make up one message; one at least. */
function fitting<Item>(items: Item[], most: number, weightOf: (item: Item) => number): number {
  let weight = 0;
  for (const [index, item] of items.entries()) {
    weight += weightOf(item) + framing;
    if (index === most || (weight > maxWeight && index > 0)) return index;
  }
  return items.length;
}

function weightOfLine({ message, data }: LogLine): number {
  return weightOfText(message) + (data ? weightOfJson(Buffer.byteLength(JSON.stringify(data))) : 0);
}
