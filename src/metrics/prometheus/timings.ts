import { histogramValues, type Exemplar, type Family, type Source } from './family.js';

interface Series {
  labels: Record<string, string>;
  /** How many fell into each bucket, and into the one beyond the last bound; not cumulative. */
  counts: number[];
  /** Of each bucket the last observation whose trace is known; none while there was none. */
  exemplars?: (Exemplar | undefined)[];
  sum: number;
}

/**
 * A histogram that every request passes. prom-client checks and hashes the labels of each observation, which cost one request in
 * thirty; here a series is found by one look at a map.
 */
export class Timings implements Source {
  private readonly series = new Map<string, Series>();

  constructor(
    readonly name: string,
    private readonly help: string,
    private readonly labelNames: readonly string[],
    /** Upper bounds in seconds, ascending. */
    private readonly bounds: readonly number[],
  ) {}

  /** `values`: of the labels, in their order. `traceId`: where to see why it took so long. */
  observe(seconds: number, values: readonly string[], traceId?: string): void {
    const key = values.join('\n');
    let series = this.series.get(key);
    if (!series) {
      const labels = Object.fromEntries(this.labelNames.map((name, index) => [name, values[index]!]));
      series = { labels, counts: Array.from({ length: this.bounds.length + 1 }, () => 0), sum: 0 };
      this.series.set(key, series);
    }
    let bucket = 0;
    while (bucket < this.bounds.length && seconds > this.bounds[bucket]!) bucket += 1;
    series.counts[bucket]! += 1;
    series.sum += seconds;
    if (traceId === undefined) return;
    series.exemplars ??= [];
    series.exemplars[bucket] = { labelSet: { trace_id: traceId }, value: seconds, timestamp: Date.now() / 1_000 };
  }

  async get(): Promise<Family> {
    const values = [...this.series.values()].flatMap((series) => this.valuesOf(series));
    return { name: this.name, help: this.help, type: 'histogram', values };
  }

  private valuesOf({ labels, counts, exemplars, sum }: Series): Family['values'] {
    let count = 0;
    const buckets = this.bounds.map((bound, index): [number, number] => {
      count += counts[index]!;
      return [bound, count];
    });
    return histogramValues(this.name, labels, { buckets, sum, count: count + counts.at(-1)!, exemplars });
  }
}
