const windowMs = 60_000;
const maxRecorded = 60;
const maxCallers = 1_000;

interface Count {
  since: number;
  recorded: number;
  left: number;
}

/** How many refused requests of a caller are recorded: so many a minute. Whoever tries all day long fills no log, and hides nothing but repetitions. */
export class Refusals {
  private readonly counts = new Map<string, Count>();

  /** Undefined: it is not to be recorded. Else how many were left out since the last one that was. */
  take(caller: string, now = performance.now()): number | undefined {
    const count = this.countOf(caller, now);
    if (count.recorded >= maxRecorded) {
      count.left += 1;
      return undefined;
    }
    const { left } = count;
    count.recorded += 1;
    count.left = 0;
    return left;
  }

  private countOf(caller: string, now: number): Count {
    const known = this.counts.get(caller);
    if (known && now - known.since < windowMs) return known;
    if (!known && this.counts.size >= maxCallers) this.counts.clear();
    const count = { since: now, recorded: 0, left: known?.left ?? 0 };
    this.counts.set(caller, count);
    return count;
  }
}
