import { Inject, Injectable } from '@nestjs/common';
import { invalid } from '../../errors/coded-error.js';
import { SETTINGS, type Settings } from '../../settings.js';
import { HistoryStore } from './history.store.js';
import { steps, type SeriesRow } from './series.js';

export interface HistoryQuery {
  metric: string;
  /** Of each element one pair must be there. */
  labels?: [key: string, value: string][][];
  /** Milliseconds since the epoch. */
  from: number;
  to: number;
  /** Seconds between two points; by default so that there are at most some hundreds. */
  step?: number;
}

export interface HistoryView {
  metric: string;
  from: string;
  to: string;
  step: number;
  series: { labels: Record<string, string>; points: { at: string; avg: number; min: number; max: number; last: number }[] }[];
}

const maxSeries = 200;
const maxPoints = 11_000;
const pointsByDefault = 300;

/** Reads the history of a metric, from the finest resolution that goes back far enough. */
@Injectable()
export class HistoryReader {
  constructor(
    private readonly store: HistoryStore,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  async names(tenantId: string): Promise<string[]> {
    const series = await this.store.series(tenantId);
    return [...new Set(series.map(({ metric }) => metric))].toSorted();
  }

  async read(tenantId: string, { metric, labels = [], from, to, step: wanted }: HistoryQuery): Promise<HistoryView> {
    const wish = wanted ?? (to - from) / 1_000 / pointsByDefault;
    const stored = this.resolutionFor(from, wish);
    const step = stepOf(wish, stored);
    if ((to - from) / 1_000 / step > maxPoints) {
      throw invalid([
        { field: 'step', message: `must be so many seconds that there are at most ${maxPoints} points from \`from\` to \`to\`` },
      ]);
    }
    const matching = (await this.store.series(tenantId, metric)).filter((series) => hasLabels(series, labels));
    if (matching.length > maxSeries) {
      throw invalid([{ field: 'label', message: `must leave at most ${maxSeries} series; the metric has ${matching.length} of them` }]);
    }
    const rows = await this.store.points(
      matching.map(({ id }) => id),
      stored,
      new Date(from),
      new Date(to),
      step,
    );
    const bySeries = Map.groupBy(rows, ({ series_id }) => series_id);
    return {
      metric,
      from: new Date(from).toISOString(),
      to: new Date(to).toISOString(),
      step,
      series: matching
        .map(({ id, labels: own }) => ({
          labels: own,
          points: (bySeries.get(id) ?? []).map(({ at, count, sum, min, max, last }) => ({ at, avg: sum / count, min, max, last })),
        }))
        .filter(({ points }) => points.length > 0),
    };
  }

  private resolutionFor(from: number, step: number): number {
    const age = (Date.now() - from) / 3_600_000;
    const { METRICS_SAMPLES_HOURS, METRICS_MINUTES_DAYS } = this.settings;
    if (step >= steps.hour || age > METRICS_MINUTES_DAYS * 24) return steps.hour;
    return step >= steps.minute || age > METRICS_SAMPLES_HOURS ? steps.minute : steps.sample;
  }
}

/** A multiple of the stored step. */
function stepOf(wanted: number, stored: number): number {
  return Math.max(1, Math.round(wanted / stored)) * stored;
}

function hasLabels({ labels }: SeriesRow, wanted: [key: string, value: string][][]): boolean {
  return wanted.every((alternatives) => alternatives.some(([key, value]) => labels[key] === value));
}
