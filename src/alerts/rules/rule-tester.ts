import { setImmediate as nextTurn } from 'node:timers/promises';
import { invalid } from '../../errors/coded-error.js';
import type { KnownSeries, PointsAt, PointsStore } from '../../metrics/history/points.store.js';
import { steps } from '../../metrics/history/series.js';
import type { Settings } from '../../settings.js';
import type { Labels } from '../alert.js';
import { matchesAll } from '../matchers.js';
import { evaluate, type Target } from './evaluate.js';
import { heartbeat, pointOf, sampleGapMs } from './point-windows.js';
import { aggregationOf, isRaised, windowSeconds, type RuleDefinition, type RuleState } from './rule.js';
import { RuleTargets } from './rule-targets.js';
import { baselineAgeMs, firstPointMs, hourMs, minuteMs, sampleMs, shapeFor, stepFor } from './slots.js';
import { WatchedSeries } from './watched-series.js';

/** A time in which an alert would have been there. */
export interface Firing {
  labels: Labels;
  from: string;
  /** Null when it still would be at the end. */
  to: string | null;
  /** The value that was furthest from being well; null when there was none. */
  peak: number | null;
}

/** What a rule would have done. */
export interface RuleTest {
  from: string;
  to: string;
  /** Between two evaluations. */
  step_seconds: number;
  evaluations: number;
  /** How many series it looked at. */
  series: number;
  firings: Firing[];
  /** Whether there were more. */
  truncated: boolean;
}

const maxSeries = 200;
const maxMeasurements = 500_000;
const maxFirings = 1_000;
const page = 20_000;
const turnMs = 10;
const pointsAtOnce = 200_000;

interface Plan {
  from: number;
  to: number;
  /** Between two evaluations. */
  interval: number;
  /** The coarsest stored resolution that is read. */
  tier: number;
  /** Of the windows. */
  step: number;
  /** Longer without samples, and nobody was watching. */
  gapMs: number;
}

/** Evaluates a rule on the history, as the leader would have done. */
export class RuleTester {
  constructor(
    private readonly points: PointsStore,
    private readonly settings: Pick<Settings, 'METRICS_SAMPLES_HOURS' | 'METRICS_MINUTES_DAYS' | 'METRICS_INTERVAL_SECONDS'>,
  ) {}

  async test(tenantId: string, rule: RuleDefinition, from: number, to: number): Promise<RuleTest> {
    const plan = this.plan(rule, from, to);
    const series = await this.series(tenantId, rule, plan);
    const own = series.filter(({ metric }) => metric === rule.spec.metric);
    const evaluations = Math.floor((to - from) / plan.interval) + 1;
    if (own.length > maxSeries)
      throw invalid([{ field: 'spec.matchers', message: `must leave at most ${maxSeries} series for a test; there are ${own.length}` }]);
    if (own.length * evaluations > maxMeasurements)
      throw invalid([
        {
          field: 'from',
          message: `must be later: at most ${maxMeasurements} values are looked at, for each series every ${plan.interval / 1_000} seconds`,
        },
      ]);
    const replay = new Replay(tenantId, rule, plan, series);
    await replay.run(
      await this.read(
        rule,
        plan,
        series.map(({ id }) => id),
      ),
    );
    return {
      from: new Date(from).toISOString(),
      to: new Date(to).toISOString(),
      step_seconds: plan.interval / 1_000,
      evaluations,
      series: own.length,
      firings: replay.firings.slice(0, maxFirings),
      truncated: replay.firings.length > maxFirings,
    };
  }

  private plan(rule: RuleDefinition, from: number, to: number): Plan {
    const windowMs = windowSeconds(rule) * 1_000;
    const age = Date.now() - (from - windowMs - baselineAgeMs(sampleMs));
    const { METRICS_SAMPLES_HOURS, METRICS_MINUTES_DAYS } = this.settings;
    const stored = age > METRICS_MINUTES_DAYS * 24 * hourMs ? hourMs : age > METRICS_SAMPLES_HOURS * hourMs ? minuteMs : sampleMs;
    const wish = to - from <= 6 * hourMs ? sampleMs : to - from <= 7 * 24 * hourMs ? minuteMs : hourMs;
    const tier = Math.max(stored, wish);
    return {
      from,
      to,
      interval: tier,
      tier,
      step: Math.max(stepFor(windowMs), tier),
      gapMs: Math.max(sampleGapMs(this.settings), 1.5 * tier),
    };
  }

  private async series(tenantId: string, rule: RuleDefinition, plan: Plan): Promise<(KnownSeries & { watched: WatchedSeries })[]> {
    const found: KnownSeries[] = [];
    for (let last = 0; ;) {
      const rows = await this.points.series([rule.spec.metric, heartbeat], last, page);
      found.push(
        ...rows.filter(
          (row) => row.metric === heartbeat || (['', tenantId].includes(row.tenant_id) && matchesAll(rule.spec.matchers, row.labels)),
        ),
      );
      if (rows.length < page) break;
      last = rows.at(-1)!.id;
    }
    const shape = shapeFor(aggregationOf(rule), windowSeconds(rule) * 1_000, plan.step);
    return found.map((row) => ({
      ...row,
      watched: new WatchedSeries(row.id, row.tenant_id, row.labels, [shape], row.born_at ?? -Infinity),
    }));
  }

  /** All points from before the first window on, oldest first. */
  private async read(rule: RuleDefinition, { from, to, tier, step }: Plan, ids: number[]): Promise<PointsAt[]> {
    const through = await this.points.rolledThrough();
    const begin = from - windowSeconds(rule) * 1_000 - baselineAgeMs(step);
    const end = to + 1;
    const hours = tier === hourMs ? Math.min(end, Math.max(begin, through.hours)) : begin;
    const minutes = tier === sampleMs ? begin : Math.min(end, Math.max(hours, through.minutes));
    return [
      ...(await this.slices(steps.hour, ids, begin, hours)),
      ...(await this.slices(steps.minute, ids, hours, minutes)),
      ...(await this.slices(steps.sample, ids, minutes, end)),
    ];
  }

  private async slices(step: number, ids: number[], from: number, to: number): Promise<PointsAt[]> {
    const all: PointsAt[] = [];
    const sliceMs = Math.max(1, Math.floor(pointsAtOnce / Math.max(1, ids.length))) * step * 1_000;
    for (let begin = from; begin < to; begin += sliceMs)
      all.push(...(await this.points.points(step, ids, begin, Math.min(to, begin + sliceMs))));
    return all;
  }
}

/** The evaluations one after the other, each with the points that had come by then. */
class Replay {
  readonly firings: Firing[] = [];
  private readonly open = new Map<string, Firing>();
  private readonly states = new Map<string, RuleState>();
  private readonly byId: Map<number, KnownSeries & { watched: WatchedSeries }>;
  private readonly own: WatchedSeries[];
  private readonly targets: RuleTargets;
  private readonly firstAt: number;
  private sampledSince = -Infinity;
  private lastSampleAt = -Infinity;

  constructor(
    tenantId: string,
    private readonly rule: RuleDefinition,
    private readonly plan: Plan,
    series: (KnownSeries & { watched: WatchedSeries })[],
  ) {
    this.byId = new Map(series.map((row) => [row.id, row]));
    this.own = series.filter(({ metric }) => metric === rule.spec.metric).map(({ watched }) => watched);
    this.targets = new RuleTargets(rule, tenantId, -Infinity, plan.step);
    this.targets.add(this.own);
    this.firstAt = this.own.reduce((first, { beganAt }) => Math.min(first, beganAt), Infinity);
  }

  async run(points: PointsAt[]): Promise<void> {
    let next = 0;
    let begun = performance.now();
    for (let now = this.plan.from; now <= this.plan.to; now += this.plan.interval) {
      while (next < points.length && points[next]!.at <= now) this.take(points[next++]!);
      if (now - this.lastSampleAt <= this.plan.gapMs) this.evaluate(now);
      if (performance.now() - begun > turnMs) {
        await nextTurn();
        begun = performance.now();
      }
    }
  }

  private take(points: PointsAt): void {
    for (let index = 0; index < points.ids.length; index++) {
      const row = this.byId.get(points.ids[index]!)!;
      if (row.metric === heartbeat) {
        if (points.at - this.lastSampleAt > this.plan.gapMs) this.sampledSince = points.at;
        this.lastSampleAt = points.at;
      }
      row.watched.fold(pointOf(points, index));
    }
  }

  private evaluate(now: number): void {
    const targets = [...this.targets.measure(now, Math.max(this.sampledSince, this.firstAt) + firstPointMs)];
    for (const { before, after } of evaluate(this.rule, targets, this.states, { now, watched: now - this.sampledSince })) {
      const { series } = (after ?? before)!;
      if (after) this.states.set(series, after);
      else this.states.delete(series);
      if (isRaised(after) && !isRaised(before)) this.begin(after!, now);
      if (isRaised(before) && !isRaised(after)) this.end(series, now);
    }
    if (this.open.size) for (const target of targets) this.notePeak(target);
  }

  private begin({ series, labels, value }: RuleState, now: number): void {
    const firing = { labels: { ...labels, ...this.rule.spec.labels }, from: new Date(now).toISOString(), to: null, peak: value };
    this.firings.push(firing);
    this.open.set(series, firing);
  }

  private end(series: string, now: number): void {
    this.open.get(series)!.to = new Date(now).toISOString();
    this.open.delete(series);
  }

  private notePeak({ fingerprint, value }: Target): void {
    const firing = this.open.get(fingerprint);
    if (!firing || value === undefined) return;
    const isLow = this.rule.kind === 'expectation' || this.rule.spec.comparator.startsWith('<');
    firing.peak = firing.peak === null ? value : isLow ? Math.min(firing.peak, value) : Math.max(firing.peak, value);
  }
}
