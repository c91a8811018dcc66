import type { Sample } from './sample.js';

/** One figure of the first half, after the warm-up, held against the same of the second half. */
export interface Comparison {
  what: string;
  unit: string;
  first: number;
  second: number;
  /** What the second half may be at most; undefined when this run is too short to judge it. */
  limit: number | undefined;
}

/** Part of the samples that is left out: caches fill, code is compiled, the first vacuums come. */
const warmUpShare = 0.15;

/** From this length on growth is told from noise; a shorter run fails for multiples alone. */
export const longMinutes = 10;

/** Seconds of work that may wait at the end. */
const backlogSeconds = { long: 2, short: 30 };

type Limit = { times: number; plus: number };

/** Growth up to `times` the first half and, where both are small, up to `plus` more. */
function allow(first: number, { times, plus }: Limit): number {
  return Math.max(first * times, first + plus);
}

export function compare(samples: readonly Sample[], perSecond: number, minutes: number): Comparison[] {
  const isLong = minutes >= longMinutes;
  const [one, two] = halves(samples);
  const row = (what: string, unit: string, of: (half: readonly Sample[]) => number, limit: Limit | undefined): Comparison => {
    const [first, second] = [of(one), of(two)];
    return { what, unit, first, second, limit: limit && allow(first, limit) };
  };
  const backlog = backlogSeconds[isLong ? 'long' : 'short'] * perSecond;
  const dead = deadBound(perSecond, minutes * 60);
  return [
    row('create to end, p50', 'ms', middle('p50'), isLong ? { times: 1.5, plus: 5 } : undefined),
    row('create to end, p99', 'ms', middle('p99'), isLong ? { times: 3, plus: 50 } : undefined),
    { ...row('tasks on their way', '', middle('outstanding'), undefined), limit: backlog },
    { ...row('queued rows', '', middle('queued'), undefined), limit: backlog },
    { ...row('dead tuples of tasks, most', '', most('deadTasks'), undefined), limit: dead },
    { ...row('dead tuples of events, most', '', most('deadEvents'), undefined), limit: dead },
    row('resident memory', 'MB', middle('rssMegabytes'), isLong ? { times: 1.25, plus: 32 } : { times: 3, plus: 128 }),
  ];
}

/** Twice what there may be while autovacuum keeps up: what makes it come, and what gathers until it looks again. */
function deadBound(perSecond: number, seconds: number): number {
  const stored = perSecond * seconds;
  return 2 * (vacuumThreshold + vacuumShare * stored + deadPerTask * perSecond * autovacuumSeconds);
}

// As the migrations set them for tasks, and PostgreSQL's own autovacuum_naptime.
const vacuumThreshold = 1_000;
const vacuumShare = 0.01;
const autovacuumSeconds = 60;
/** Started and completed. */
const deadPerTask = 2;

/** A sentence about each figure that has clearly grown. */
export function grown(comparisons: readonly Comparison[]): string[] {
  return comparisons
    .filter(({ second, limit }) => limit !== undefined && !(second <= limit))
    .map(({ what, unit, first, second, limit }) => {
      const [from, to, most] = [first, second, limit!].map((value) => `${value.toFixed(1)} ${unit}`.trim());
      return `${what} went from ${from} to ${to}; at most ${most} is taken for flat`;
    });
}

/** Megabytes an hour by which resident memory grows, by least squares over all samples after the warm-up. */
export function memorySlope(samples: readonly Sample[]): number {
  const used = samples.slice(Math.floor(samples.length * warmUpShare));
  const mean = (of: (sample: Sample) => number) => used.reduce((sum, sample) => sum + of(sample), 0) / used.length;
  const [at, megabytes] = [mean((sample) => sample.at), mean((sample) => sample.rssMegabytes)];
  const across = used.reduce((sum, sample) => sum + (sample.at - at) * (sample.rssMegabytes - megabytes), 0);
  return (across / used.reduce((sum, sample) => sum + (sample.at - at) ** 2, 0)) * 3_600;
}

function halves(samples: readonly Sample[]): [Sample[], Sample[]] {
  const begin = Math.floor(samples.length * warmUpShare);
  const half = Math.ceil((begin + samples.length) / 2);
  return [samples.slice(begin, half), samples.slice(half)];
}

function middle(key: keyof Sample) {
  return (half: readonly Sample[]) => half.map((sample) => sample[key]).sort((a, b) => a - b)[Math.floor(half.length / 2)] ?? Number.NaN;
}

function most(key: keyof Sample) {
  return (half: readonly Sample[]) => Math.max(...half.map((sample) => sample[key]));
}
