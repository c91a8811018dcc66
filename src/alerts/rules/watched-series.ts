import { createHash } from 'node:crypto';
import type { Labels } from '../alert.js';
import type { Aggregation } from './rule.js';
import { Slots, type Point, type Shape } from './slots.js';

/** A series of the history with its latest points, in all windows that rules have of it. */
export class WatchedSeries {
  /** Made with the first point: many series are those of replicas that are gone for good. */
  private slots: Slots[] | undefined;
  private key: string | undefined;
  /** When it last had a point; -1 when that is too long ago to matter. */
  lastAt = -1;

  constructor(
    readonly id: number,
    /** Empty for what belongs to the server. */
    readonly tenantId: string,
    readonly labels: Labels,
    private readonly shapes: readonly Shape[],
    /** -Infinity when nobody knows. */
    readonly beganAt: number,
  ) {}

  /** Hashed once: rules ask for it at every evaluation. */
  get fingerprint(): string {
    return (this.key ??= seriesFingerprint(this.tenantId, this.labels));
  }

  fold(point: Point): void {
    for (const slots of this.begun(point)) slots.fold(point);
  }

  /** Into the window of one resolution alone. */
  foldInto(step: number, point: Point): void {
    slotsOf(this.begun(point), step)?.fold(point);
  }

  /** `bornAfter`: a series that began later began at zero. */
  aggregate(step: number, how: Aggregation, from: number, to: number, minSamples: number, bornAfter: number): number | undefined {
    const slots = this.slots && slotsOf(this.slots, step);
    if (!slots) return how === 'count' ? 0 : undefined;
    return slots.aggregate(how, from, to, minSamples, this.beganAt > bornAfter ? this.beganAt : undefined);
  }

  private begun({ at }: Point): Slots[] {
    if (at > this.lastAt) this.lastAt = at;
    return (this.slots ??= this.shapes.map((shape) => new Slots(shape)));
  }
}

function slotsOf(all: readonly Slots[], step: number): Slots | undefined {
  return all.find((slots) => slots.shape.step === step);
}

/** The same for the same labels, in whatever order they come. Series of a tenant and of the server are never the same. */
export function seriesFingerprint(tenantId: string, labels: Labels): string {
  const pairs = Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify([tenantId, ...pairs]))
    .digest('hex')
    .slice(0, 32);
}
