import type { Labels } from '../alert.js';
import { matchesAll } from '../matchers.js';
import type { Target } from './evaluate.js';
import { aggregationOf, windowSeconds, type GroupAggregation, type RuleDefinition } from './rule.js';
import { stepFor } from './slots.js';
import { seriesFingerprint, type WatchedSeries } from './watched-series.js';

const dayMs = 86_400_000;
/** Of one rule; more would be more alerts than anybody reads. */
export const maxTargets = 1_000;

/** Between two looks at the clock. */
const lookAtOnce = 100;

interface Group {
  fingerprint: string;
  labels: Labels;
  members: WatchedSeries[];
}

/** Which series a rule looks at, found once: an evaluation only has to measure them. */
export class RuleTargets {
  private readonly groups = new Map<string, Group>();
  private readonly windowMs: number;
  /** A series that has been silent for longer is forgotten. */
  private readonly memoryMs: number;
  private readonly minSamples: number;
  private readonly step: number;
  /** Series of the metric that were looked at, as they are only ever added. */
  private looked = 0;
  /** How many there were at the last measurement, and how many of them were beyond the limit. */
  count = 0;
  skipped = 0;

  constructor(
    private readonly rule: RuleDefinition,
    private readonly tenantId: string,
    /** Since when the rule has been watching: what was gone by then was never there for it. */
    private readonly since: number,
    step?: number,
  ) {
    this.windowMs = windowSeconds(rule) * 1_000;
    this.memoryMs = Math.max(dayMs, 2 * this.windowMs);
    this.minSamples = rule.kind === 'threshold' ? rule.spec.min_samples : 1;
    this.step = step ?? stepFor(this.windowMs);
    // All of them as one are also asked for when there are none.
    if (rule.spec.group_by?.length === 0) this.groupOf(tenantId, {});
  }

  /** `all`: the series of the metric, those of earlier calls first. Stops at `until` (of performance.now()), and answers whether it was done. */
  add(all: readonly WatchedSeries[], until = Infinity): boolean {
    for (let count = 1; this.looked < all.length; this.looked++, count++) {
      if (count % lookAtOnce === 0 && performance.now() > until) return false;
      const series = all[this.looked]!;
      if (series.tenantId !== '' && series.tenantId !== this.tenantId) continue;
      if (!matchesAll(this.rule.spec.matchers, series.labels)) continue;
      this.groupFor(series).members.push(series);
    }
    return true;
  }

  /** Everything that was there within the time that the rule remembers. `bornAfter`: totals that began later began at zero. */
  *measure(now: number, bornAfter: number): Generator<Target> {
    const remembered = Math.max(now - this.memoryMs, this.since - this.windowMs);
    const always = this.rule.spec.group_by?.length === 0;
    this.count = 0;
    this.skipped = 0;
    for (const { fingerprint, labels, members } of this.groups.values()) {
      const present = members.filter(({ lastAt }) => lastAt > remembered);
      if (!present.length && !always) continue;
      if (this.count === maxTargets) this.skipped += 1;
      else {
        this.count += 1;
        yield { fingerprint, labels, value: this.valueOf(present, now, bornAfter) };
      }
    }
  }

  private valueOf(present: WatchedSeries[], now: number, bornAfter: number): number | undefined {
    const how = aggregationOf(this.rule);
    const from = now - this.windowMs;
    const values: number[] = [];
    for (const series of present) {
      const value = series.aggregate(this.step, how, from, now, this.minSamples, bornAfter);
      if (value !== undefined) values.push(value);
    }
    if (!values.length) return undefined;
    return combined(values, this.rule.kind === 'threshold' ? this.rule.spec.group_aggregation : 'sum');
  }

  private groupFor(series: WatchedSeries): Group {
    const by = this.rule.spec.group_by;
    if (by === null) return this.group(series.fingerprint, series.labels);
    if (by.length === 0) return this.groupOf(this.tenantId, {});
    // An empty label is an absent one, whatever the order in which they come.
    const pairs = by
      .map((label) => [label, Object.hasOwn(series.labels, label) ? series.labels[label]! : ''] as const)
      .filter(([, value]) => value !== '');
    return this.groupOf(series.tenantId, Object.fromEntries(pairs));
  }

  private groupOf(tenantId: string, labels: Labels): Group {
    return this.group(seriesFingerprint(tenantId, labels), labels);
  }

  private group(fingerprint: string, labels: Labels): Group {
    let group = this.groups.get(fingerprint);
    if (!group) this.groups.set(fingerprint, (group = { fingerprint, labels, members: [] }));
    return group;
  }
}

function combined(values: number[], how: GroupAggregation): number {
  const sum = () => values.reduce((total, value) => total + value, 0);
  switch (how) {
    case 'sum':
      return sum();
    case 'avg':
      return sum() / values.length;
    case 'min':
      return values.reduce((least, value) => Math.min(least, value));
    case 'max':
      return values.reduce((most, value) => Math.max(most, value));
  }
}
