import type { KnownSeries, PointsAt, PointsStore, RolledThrough } from '../../metrics/history/points.store.js';
import { steps } from '../../metrics/history/series.js';
import type { Settings } from '../../settings.js';
import { firstPointMs, hourMs, isWithin, minuteMs, sampleMs, widerShape, type Point, type Shape } from './slots.js';
import { WatchedSeries } from './watched-series.js';

/** With a longer time between two samples than this, nobody was watching: what is absent may have been there. */
export function sampleGapMs({ METRICS_INTERVAL_SECONDS }: Pick<Settings, 'METRICS_INTERVAL_SECONDS'>): number {
  return Math.max(35_000, 2_500 * METRICS_INTERVAL_SECONDS);
}

/** What rules need of one metric. */
export interface Need {
  metric: string;
  shape: Shape;
}

type Take = (series: WatchedSeries, point: Point) => void;

interface Metric {
  shapes: Shape[];
  series: WatchedSeries[];
  /** When the first of its series began; -Infinity when nobody knows. */
  firstAt: number;
}

/** Sampled with each look of the leader, whatever else there is: where it has gaps, nobody was watching. */
export const heartbeat = 'arkitect_replicas';
const heartbeatShape: Shape = { step: sampleMs, capacity: 2, columns: ['last'] };

/** Roll-ups are a minute apart: in them a shorter gap cannot be seen. */
const rolledGapMs = 150_000;
const rememberMs = 31 * 24 * hourMs;
/** Longer without reading, and it is cheaper to begin anew. */
const staleMs = hourMs;
/** Rows of one statement; it must end long before its timeout. */
const pointsAtOnce = 500_000;
const seriesAtOnce = 20_000;
const maxSeries = 200_000;
/** Other replicas have clocks of their own. */
const lateMs = minuteMs;
/** Ids are given before they are committed: so far behind the newest one is looked for late ones. */
const lateIds = 1_000;

/**
 * The latest points of all series that rules look at, in memory. Read from the database once; after that only what has come
 * since: 100,000 series take some hundred milliseconds of each ten seconds that way.
 */
export class PointWindows {
  private readonly metrics = new Map<string, Metric>();
  private readonly byId = new Map<number, WatchedSeries>();
  private newestId = 0;
  private readThrough = -Infinity;
  /** When samples began to come without a gap; undefined when there are none. */
  sampledSince: number | undefined;
  lastSampleAt = -Infinity;

  constructor(
    private readonly store: PointsStore,
    private readonly gapMs: () => number,
  ) {}

  seriesOf(metric: string): readonly WatchedSeries[] {
    return this.metrics.get(metric)?.series ?? [];
  }

  /** Series of a metric that began later than this began under our eyes, and at zero. What was there at the first look did not. */
  bornAfter(metric: string): number {
    return Math.max(this.sampledSince ?? Infinity, this.metrics.get(metric)?.firstAt ?? Infinity) + firstPointMs;
  }

  /** Whether there are more series than are kept. */
  get isFull(): boolean {
    return this.byId.size >= maxSeries;
  }

  /** Brings everything up to date. What is not needed any more is dropped. */
  async update(needs: Need[], now: number): Promise<void> {
    if (now - this.readThrough > staleMs) this.clear();
    const wanted = shapesByMetric([...needs, { metric: heartbeat, shape: heartbeatShape }]);
    for (const name of this.metrics.keys()) if (!wanted.has(name)) this.drop(name);
    const grown = [...wanted].filter(([name, shapes]) => !this.serves(name, shapes));
    for (const [name, shapes] of grown) {
      this.drop(name);
      this.metrics.set(name, { shapes, series: [], firstAt: Infinity });
    }
    try {
      await this.load(
        grown.map(([name]) => name),
        now,
      );
    } catch (error) {
      // Half of it would look like the whole.
      for (const [name] of grown) this.drop(name);
      throw error;
    }
    await this.readOn(now);
    this.readThrough = now;
  }

  clear(): void {
    this.metrics.clear();
    this.byId.clear();
    this.newestId = 0;
    this.readThrough = -Infinity;
    this.sampledSince = undefined;
    this.lastSampleAt = -Infinity;
  }

  private serves(name: string, shapes: Shape[]): boolean {
    const metric = this.metrics.get(name);
    return (
      metric !== undefined &&
      shapes.every((shape) =>
        isWithin(
          shape,
          metric.shapes.find(({ step }) => step === shape.step),
        ),
      )
    );
  }

  private drop(name: string): void {
    for (const { id } of this.metrics.get(name)?.series ?? []) this.byId.delete(id);
    this.metrics.delete(name);
  }

  private async load(names: string[], now: number): Promise<void> {
    if (!names.length) return;
    const ids = await this.discover(names, 0);
    const through = await this.store.rolledThrough();
    for (const step of [hourMs, minuteMs, sampleMs]) await this.loadStep(step, names, now, through);
    for (let start = 0; start < ids.length; start += seriesAtOnce) {
      for (const { id, at } of await this.store.lastSeen(ids.slice(start, start + seriesAtOnce), now - rememberMs)) {
        const series = this.byId.get(id)!;
        if (at > series.lastAt) series.lastAt = at;
      }
    }
    await this.loadHeartbeat(names, now);
  }

  /** The windows of one resolution: from the roll-ups as far as they go, the rest from what is finer. */
  private async loadStep(step: number, names: string[], now: number, through: RolledThrough): Promise<void> {
    const shaped = names.flatMap((name) => {
      const metric = this.metrics.get(name)!;
      const shape = metric.shapes.find((shape) => shape.step === step);
      return shape ? [{ ids: metric.series.map(({ id }) => id), capacity: shape.capacity }] : [];
    });
    const ids = shaped.flatMap((metric) => metric.ids);
    const from = now - step * shaped.reduce((most, { capacity }) => Math.max(most, capacity), 0);
    const hours = step === hourMs ? Math.max(from, through.hours) : from;
    const minutes = step === sampleMs ? from : Math.max(hours, through.minutes);
    const into: Take = (series, point) => series.foldInto(step, point);
    await this.read(steps.hour, ids, from, hours, into);
    await this.read(steps.minute, ids, hours, minutes, into);
    await this.read(steps.sample, ids, minutes, now + sampleMs, into);
  }

  private async loadHeartbeat(names: string[], now: number): Promise<void> {
    if (!names.includes(heartbeat)) return;
    const [series] = this.seriesOf(heartbeat);
    this.sampledSince = series && (await this.store.sampledSince(series.id, now - rememberMs, Math.max(rolledGapMs, this.gapMs()) / 1_000));
    this.lastSampleAt = series?.lastAt ?? -Infinity;
  }

  /** What has come since the last time; the latest steps again, as somebody may have been late. */
  private async readOn(now: number): Promise<void> {
    await this.discover([...this.metrics.keys()], Math.max(0, this.newestId - lateIds));
    if (this.readThrough === -Infinity) return;
    const own: number[] = [];
    const ofReplicas: number[] = [];
    for (const { id, tenantId } of this.byId.values()) (tenantId === '' ? ofReplicas : own).push(id);
    const take: Take = (series, point) => series.fold(point);
    await this.read(steps.sample, own, this.readThrough - sampleMs, now + sampleMs, take);
    await this.read(steps.sample, ofReplicas, this.readThrough - lateMs, now + sampleMs, take);
    const last = Math.max(-Infinity, ...this.seriesOf(heartbeat).map(({ lastAt }) => lastAt));
    if (last > this.lastSampleAt) {
      if (this.sampledSince === undefined || last - this.lastSampleAt > this.gapMs()) this.sampledSince = last;
      this.lastSampleAt = last;
    }
  }

  /** Series that are not known yet. */
  private async discover(names: string[], after: number): Promise<number[]> {
    const found: number[] = [];
    for (let last = after; this.byId.size < maxSeries;) {
      const rows = await this.store.series(names, last, seriesAtOnce);
      found.push(...rows.filter(({ id }) => !this.byId.has(id)).map((row) => this.add(row)));
      if (rows.length < seriesAtOnce) break;
      last = rows.at(-1)!.id;
    }
    return found;
  }

  private add({ id, tenant_id, metric: name, labels, born_at }: KnownSeries): number {
    const metric = this.metrics.get(name)!;
    const series = new WatchedSeries(id, tenant_id, labels, metric.shapes, born_at ?? -Infinity);
    metric.firstAt = Math.min(metric.firstAt, series.beganAt);
    metric.series.push(series);
    this.byId.set(id, series);
    this.newestId = Math.max(this.newestId, id);
    return id;
  }

  private async read(step: number, ids: number[], from: number, to: number, take: Take): Promise<void> {
    if (!ids.length || from >= to) return;
    const sliceMs = Math.max(1, Math.floor(pointsAtOnce / ids.length)) * step * 1_000;
    for (let begin = from; begin < to; begin += sliceMs) {
      for (const points of await this.store.points(step, ids, begin, Math.min(to, begin + sliceMs))) this.takeAll(points, take);
    }
  }

  private takeAll(points: PointsAt, take: Take): void {
    for (let index = 0; index < points.ids.length; index++) {
      const series = this.byId.get(points.ids[index]!);
      if (series) take(series, pointOf(points, index));
    }
  }
}

export function pointOf({ at, counts, sums, mins, maxs, lasts }: PointsAt, index: number): Point {
  return { at, count: counts[index] ?? 1, sum: sums[index]!, min: mins[index]!, max: maxs[index]!, last: lasts[index]! };
}

function shapesByMetric(needs: Need[]): Map<string, Shape[]> {
  const byMetric = new Map<string, Map<number, Shape>>();
  for (const { metric, shape } of needs) {
    const shapes = byMetric.get(metric) ?? new Map<number, Shape>();
    byMetric.set(metric, shapes.set(shape.step, widerShape(shapes.get(shape.step), shape)));
  }
  return new Map([...byMetric].map(([metric, shapes]) => [metric, [...shapes.values()]]));
}
