import fc from 'fast-check';
import { expect, test } from 'vitest';
import { durationBounds, quantileOf } from './duration-buckets.js';

const bucketOf = (seconds: number) => durationBounds.filter((bound) => bound <= seconds).length;

function bucketsOf(durations: number[]): number[] {
  const buckets = durationBounds.map(() => 0).concat(0);
  for (const duration of durations) buckets[bucketOf(duration)]! += 1;
  return buckets;
}

test('a quantile lies in the bucket of the duration that it stands for', () => {
  const durations = fc.array(fc.double({ min: 0, max: 86_399, noNaN: true }), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(durations, fc.double({ min: 0.01, max: 1, noNaN: true }), (values, quantile) => {
      const sorted = values.toSorted((a, b) => a - b);
      const exact = sorted[Math.max(0, Math.ceil(quantile * sorted.length) - 1)]!;
      const bucket = bucketOf(exact);
      const estimate = quantileOf(bucketsOf(values), quantile)!;
      expect(estimate).toBeGreaterThanOrEqual(durationBounds[bucket - 1] ?? 0);
      expect(estimate).toBeLessThanOrEqual(durationBounds[bucket]!);
    }),
  );
});

test('without durations there is no quantile; beyond the last bound it is the last bound', () => {
  expect(quantileOf(bucketsOf([]), 0.5)).toBeNull();
  expect(quantileOf(bucketsOf([1e6]), 0.5)).toBe(86_400);
});
