import { expect, test } from 'vitest';
import { sampleMs, shapeFor, Slots, stepFor } from './slots.js';

const minute = 60_000;

function slots(how: Parameters<typeof shapeFor>[0], windowMs: number, values: (number | undefined)[], begin = 0): Slots {
  const all = new Slots(shapeFor(how, windowMs));
  values.forEach((last, index) => {
    if (last !== undefined) all.fold({ at: begin + index * sampleMs, count: 1, sum: last, min: last, max: last, last });
  });
  return all;
}

const nothing = (length: number): undefined[] => Array.from({ length }, () => undefined);

/** The value of a window of a minute that ends with the last of `values`. */
function overAMinute(how: Parameters<typeof shapeFor>[0], values: (number | undefined)[], { minSamples = 1, bornAt = NaN } = {}) {
  const now = (values.length - 1) * sampleMs;
  return slots(how, minute, values).aggregate(how, now - minute, now, minSamples, Number.isNaN(bornAt) ? undefined : bornAt);
}

test('the points of a window become one value', () => {
  const values = [100, 100, 1, 5, 2, 9, 4, 3];
  expect(overAMinute('last', values)).toBe(3);
  expect(overAMinute('avg', values)).toBe(4);
  expect(overAMinute('min', values)).toBe(1);
  expect(overAMinute('max', values)).toBe(9);
  expect(overAMinute('sum', values)).toBe(24);
  expect(overAMinute('count', values)).toBe(6);
});

test('too few points are none', () => {
  expect(overAMinute('avg', [1, undefined, 3], { minSamples: 3 })).toBeUndefined();
  expect(overAMinute('avg', [1, undefined, 3], { minSamples: 2 })).toBe(2);
  expect(overAMinute('last', [7, ...nothing(7)])).toBeUndefined();
  expect(overAMinute('count', [7, ...nothing(7)])).toBe(0);
});

test('an increase goes back to the last point before the window, and a fall is a new beginning', () => {
  expect(overAMinute('increase', [10, 20, 20, 20, 20, 20, 20, 25])).toBe(5);
  expect(overAMinute('increase', [10, 20, 20, 20, 20, 3, 4, 5])).toBe(5);
  expect(overAMinute('rate', [10, 20, 20, 20, 20, 20, 20, 30])).toBeCloseTo(10 / 60);
});

test('a point that is too old says nothing of the window', () => {
  const silence = nothing(20);
  expect(overAMinute('increase', [10, ...silence, 50])).toBeUndefined();
  expect(overAMinute('increase', [10, ...silence, 50, 53])).toBe(3);
});

test('a total that begins under our eyes begins at zero, any other one where it is', () => {
  expect(overAMinute('increase', [50])).toBeUndefined();
  expect(overAMinute('increase', [50, 52])).toBe(2);
  expect(overAMinute('increase', [undefined, 50, 52], { bornAt: 10_400 })).toBe(52);
  expect(overAMinute('increase', [undefined, undefined, undefined, undefined, 50], { bornAt: 400 })).toBeUndefined();
});

test('a long window is made of roll-ups and of what is not rolled up yet, each counted once', () => {
  const day = 86_400_000;
  const windows = (['avg', 'min', 'max', 'sum', 'count', 'last', 'increase'] as const).map(
    (how) => [how, new Slots(shapeFor(how, day))] as const,
  );
  for (const [, all] of windows) {
    all.fold({ at: 0, count: 360, sum: 3_600, min: 5, max: 20, last: 10 });
    const sample = { at: 3_600_000, count: 1, sum: 1, min: 1, max: 1, last: 1 };
    all.fold(sample);
    all.fold(sample);
    all.fold({ ...sample, at: 3_610_000, sum: 30, min: 30, max: 30, last: 30 });
  }
  const of = Object.fromEntries(windows.map(([how, all]) => [how, all.aggregate(how, 3_620_000 - day, 3_620_000, 1, undefined)]));
  expect(of).toEqual({ avg: 3_631 / 362, min: 1, max: 30, sum: 3_631, count: 362, last: 30, increase: 20 });
});

test('old points make room', () => {
  const all = slots('max', minute, [99, ...Array.from({ length: 100 }, () => 1)]);
  expect(all.aggregate('max', -1, 1_000_000, 1, undefined)).toBe(1);
  all.fold({ at: 0, count: 1, sum: 99, min: 99, max: 99, last: 99 });
  expect(all.aggregate('max', -1, 1_000_000, 1, undefined)).toBe(1);
});

test('the resolution is chosen by the window', () => {
  expect([300, 3_600, 3_601, 21_600, 21_601, 2_592_000].map((seconds) => stepFor(seconds * 1_000))).toEqual([
    10_000, 10_000, 60_000, 60_000, 3_600_000, 3_600_000,
  ]);
});
