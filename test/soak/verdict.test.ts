import { describe, expect, test } from 'vitest';
import type { Sample } from './sample.js';
import { compare, grown, memorySlope } from './verdict.js';

const perSecond = 100;

const steady: Sample = {
  at: 0,
  perSecond,
  p50: 10,
  p99: 40,
  outstanding: 3,
  queued: 0,
  deadTasks: 9_000,
  deadEvents: 0,
  vacuums: 1,
  rssMegabytes: 200,
};

/** One sample every ten seconds; `change` tells what the one at a share of the run has instead. */
function run(minutes: number, change: (part: number) => Partial<Sample> = () => ({})): Sample[] {
  const count = minutes * 6;
  return Array.from({ length: count }, (_, index) => ({ ...steady, at: (index + 1) * 10, ...change((index + 1) / count) }));
}

const judge = (minutes: number, change?: (part: number) => Partial<Sample>) =>
  grown(compare(run(minutes, change), perSecond, minutes)).map((sentence) => sentence.split(' went')[0]);

describe('a long run', () => {
  test('that stays as it was is flat, whatever happens while it warms up', () => {
    expect(judge(30)).toEqual([]);
    expect(judge(30, (part) => (part < 0.14 ? { p50: 1, p99: 1, rssMegabytes: 1 } : {}))).toEqual([]);
  });

  test('with a saw tooth of dead tuples and of memory is flat', () => {
    expect(judge(30, (part) => ({ deadTasks: (part * 40_000) % 12_000, rssMegabytes: 200 + ((part * 900) % 90) }))).toEqual([]);
  });

  test.each<[string, (part: number) => Partial<Sample>]>([
    ['create to end, p50', (part) => ({ p50: 10 + 40 * part })],
    ['create to end, p99', (part) => ({ p99: 40 + 400 * part ** 2 })],
    ['tasks on their way', (part) => ({ outstanding: 500 * part })],
    ['queued rows', (part) => ({ queued: 500 * part })],
    ['dead tuples of tasks, most', (part) => ({ deadTasks: 200_000 * part })],
    ['dead tuples of events, most', (part) => ({ deadEvents: 200_000 * part })],
    ['resident memory', (part) => ({ rssMegabytes: 200 + 300 * part })],
    ['create to end, p50', () => ({ p50: Number.NaN })],
  ])('names what has grown: %s', (what, change) => {
    expect(judge(30, change)).toEqual([what]);
  });
});

describe('a short run', () => {
  test('forgives what a busy machine does', () => {
    expect(
      judge(2, (part) => ({ p50: 10 + 100 * part, p99: 40 + 2_000 * part, rssMegabytes: 200 + 150 * part, outstanding: 900 })),
    ).toEqual([]);
  });

  test('names what grows to a multiple, or without end', () => {
    const change = (part: number) => ({ rssMegabytes: 100 + 2_000 * part ** 3, deadTasks: 60_000 * part, outstanding: 6_000 * part });
    expect(judge(2, change)).toEqual(['tasks on their way', 'dead tuples of tasks, most', 'resident memory']);
  });
});

test('the slope of memory is in megabytes an hour', () => {
  expect(memorySlope(run(30, (part) => ({ rssMegabytes: 200 + 15 * part })))).toBeCloseTo(30);
  expect(memorySlope(run(30))).toBeCloseTo(0);
});
