/** Upper bounds of the buckets in which wait and run times are counted, in seconds; one more bucket takes what is longer. */
export const durationBounds = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 21_600, 86_400,
] as const;

/** How many durations fell into each bucket; `durationBounds.length + 1` numbers, not cumulative. */
export type Buckets = readonly number[];

/**
 * The duration in seconds below which the share `quantile` (0..1) of them lies, estimated as Prometheus does: evenly spread
 * inside a bucket, and what is beyond the last bound counts as the last bound. Null without any.
 */
export function quantileOf(buckets: Buckets, quantile: number): number | null {
  const total = buckets.reduce((sum, count) => sum + count, 0);
  if (total <= 0) return null;
  const rank = quantile * total;
  let below = 0;
  for (const [index, count] of buckets.entries()) {
    if (below + count < rank || count === 0) {
      below += count;
      continue;
    }
    const upper = durationBounds[index];
    if (upper === undefined) break;
    const lower = durationBounds[index - 1] ?? 0;
    return lower + (upper - lower) * ((rank - below) / count);
  }
  return durationBounds.at(-1)!;
}
