import type { Aggregation } from './rule.js';

/** The stored resolutions of the history, in milliseconds. */
export const sampleMs = 10_000;
export const minuteMs = 60_000;
export const hourMs = 3_600_000;

/** A point that is older than this before the window says nothing of what happened within. */
const baselineMs = 120_000;
/** A series gets its row with its first point, or a little later. */
export const firstPointMs = 2 * sampleMs;

const columns = ['last', 'sum', 'count', 'min', 'max'] as const;
type Column = (typeof columns)[number];

/** One stored point: a sample, or a roll-up of many. */
export interface Point {
  /** Milliseconds since the epoch: the beginning of its step. */
  at: number;
  count: number;
  sum: number;
  min: number;
  max: number;
  last: number;
}

/** A window in slots of `step` milliseconds, with the columns that its aggregation needs. */
export interface Shape {
  step: number;
  capacity: number;
  columns: readonly Column[];
}

/** The finest resolution that keeps a window to some hundreds of slots. */
export function stepFor(windowMs: number): number {
  if (windowMs <= hourMs) return sampleMs;
  return windowMs <= 6 * hourMs ? minuteMs : hourMs;
}

export function shapeFor(how: Aggregation, windowMs: number, step = stepFor(windowMs)): Shape {
  const capacity = Math.ceil((windowMs + baselineAgeMs(step)) / step) + 1;
  // A sample is its own mean, extreme and sum.
  return { step, capacity, columns: step === sampleMs ? ['last'] : columnsOf(how) };
}

/** One that serves both. */
export function widerShape(a: Shape | undefined, b: Shape): Shape {
  if (!a) return b;
  return { step: b.step, capacity: Math.max(a.capacity, b.capacity), columns: [...new Set([...a.columns, ...b.columns])] };
}

export function isWithin(inner: Shape, outer: Shape | undefined): boolean {
  return outer !== undefined && inner.capacity <= outer.capacity && inner.columns.every((column) => outer.columns.includes(column));
}

function columnsOf(how: Aggregation): Column[] {
  switch (how) {
    case 'avg':
      return ['sum', 'count'];
    case 'min':
    case 'max':
    case 'sum':
    case 'count':
      return [how];
    default:
      return ['last'];
  }
}

export function baselineAgeMs(step: number): number {
  return Math.max(baselineMs, 2 * step);
}

/**
 * The latest points of one series, in a ring of equal steps: 8 bytes a point and column, so that 100,000 series of five minutes
 * take some 40 MB, and nothing has to be searched for.
 */
export class Slots {
  private newest = -1;
  /** Roll-ups are summed up: what was taken once is not taken again. */
  private foldedAt = -1;
  private readonly values: Partial<Record<Column, Float64Array>>;

  constructor(readonly shape: Shape) {
    this.values = Object.fromEntries(shape.columns.map((column) => [column, new Float64Array(shape.capacity).fill(NaN)]));
  }

  /** Points come in the order of their time, and may come twice. */
  fold(point: Point): void {
    const { step, capacity } = this.shape;
    const slot = Math.floor(point.at / step);
    if (slot <= this.newest - capacity) return;
    if (step !== sampleMs) {
      if (point.at <= this.foldedAt) return;
      this.foldedAt = point.at;
    }
    this.advance(slot);
    const at = slot % capacity;
    for (const column of this.shape.columns) {
      const values = this.values[column]!;
      const before = values[at]!;
      values[at] = step === sampleMs || Number.isNaN(before) ? point[column] : combined(column, before, point[column]);
    }
  }

  /**
   * The points of the window `from` (exclusive) to `to` as one value; undefined when there are fewer than `minSamples`, or too few
   * for the question. `bornAt`: when the series began, if that was under our eyes: before, its total was zero.
   */
  aggregate(how: Aggregation, from: number, to: number, minSamples: number, bornAt: number | undefined): number | undefined {
    const { step } = this.shape;
    const end = Math.min(Math.floor(to / step), this.newest);
    const begin = Math.max(Math.floor(from / step) + 1, this.oldest());
    if (how === 'increase' || how === 'rate') return this.growth(how, begin, end, minSamples, bornAt);
    let count = 0;
    let slots = 0;
    let sum = 0;
    let min = Infinity;
    let max = -Infinity;
    let last = NaN;
    const of = (column: Column) => this.values[column] ?? this.values.last;
    const [lasts, sums, counts, mins, maxs] = [of('last'), of('sum'), this.values.count, of('min'), of('max')];
    const main = lasts ?? this.values[this.shape.columns[0]!]!;
    for (let slot = begin; slot <= end; slot++) {
      const at = slot % this.shape.capacity;
      if (Number.isNaN(main[at]!)) continue;
      slots += 1;
      count += counts?.[at] ?? 1;
      if (sums) sum += sums[at]!;
      if (mins && mins[at]! < min) min = mins[at]!;
      if (maxs && maxs[at]! > max) max = maxs[at]!;
      if (lasts) last = lasts[at]!;
    }
    if (how === 'count') return count;
    if (slots < Math.max(1, minSamples)) return undefined;
    return { last, avg: sum / count, min, max, sum }[how];
  }

  /** How much a total has grown since the last point before the window; a fall is a new beginning from zero. */
  private growth(how: 'increase' | 'rate', begin: number, end: number, minSamples: number, bornAt: number | undefined): number | undefined {
    const { step, capacity } = this.shape;
    const values = this.values.last!;
    let { before, beforeSlot } = this.baseline(begin);
    let grown: number | undefined;
    let firstSlot = beforeSlot;
    let count = 0;
    for (let slot = begin; slot <= end; slot++) {
      const value = values[slot % capacity]!;
      if (Number.isNaN(value)) continue;
      count += 1;
      // A total that began under our eyes began at zero.
      if (Number.isNaN(before) && bornAt !== undefined && Math.abs(bornAt - slot * step) <= Math.max(step, firstPointMs)) {
        before = 0;
        firstSlot = slot - 1;
      }
      if (Number.isNaN(before)) firstSlot = slot;
      else grown = (grown ?? 0) + (value >= before ? value - before : value);
      before = value;
      beforeSlot = slot;
    }
    if (grown === undefined || count < minSamples) return undefined;
    return how === 'increase' ? grown : (grown * 1_000) / ((beforeSlot - firstSlot) * step);
  }

  /** The last point before the window, unless it is too old. */
  private baseline(begin: number): { before: number; beforeSlot: number } {
    const { step, capacity } = this.shape;
    const oldest = Math.max(begin - Math.floor(baselineAgeMs(step) / step), this.oldest());
    for (let slot = Math.min(begin - 1, this.newest); slot >= oldest; slot--) {
      const value = this.values.last![slot % capacity]!;
      if (!Number.isNaN(value)) return { before: value, beforeSlot: slot };
    }
    return { before: NaN, beforeSlot: begin };
  }

  private oldest(): number {
    return Math.max(0, this.newest - this.shape.capacity + 1);
  }

  private advance(slot: number): void {
    if (slot <= this.newest) return;
    const { capacity } = this.shape;
    const from = Math.max(this.newest + 1, slot - capacity + 1);
    for (const column of this.shape.columns) {
      const values = this.values[column]!;
      for (let empty = from; empty <= slot; empty++) values[empty % capacity] = NaN;
    }
    this.newest = slot;
  }
}

function combined(column: Column, before: number, value: number): number {
  switch (column) {
    case 'last':
      return value;
    case 'sum':
    case 'count':
      return before + value;
    case 'min':
      return Math.min(before, value);
    case 'max':
      return Math.max(before, value);
  }
}
