import { statement, type Queryable } from '../../database/database.js';
import { steps, type SeriesRow } from './series.js';

/** `born_at`: when it was first sampled, in milliseconds; null when nobody knows. */
export interface KnownSeries extends SeriesRow {
  born_at: number | null;
}

/** All points of one moment; the lists belong together. Times are in milliseconds since the epoch. */
export interface PointsAt {
  at: number;
  ids: number[];
  counts: number[];
  sums: number[];
  mins: number[];
  maxs: number[];
  lasts: number[];
}

/** How far the history has been rolled up, in milliseconds. */
export interface RolledThrough {
  minutes: number;
  hours: number;
}

const knownSeriesStatement = statement<KnownSeries>(
  'known_series',
  `SELECT id, tenant_id, metric, labels, extract(epoch FROM created_at)::float8 * 1000 AS born_at FROM metric_series
WHERE metric = ANY($1::text[]) AND id > $2 ORDER BY id LIMIT $3`,
);

const range = `step_seconds = $1 AND series_id = ANY($2::int[]) AND at >= to_timestamp($3::float8 / 1000) AND at < to_timestamp($4::float8 / 1000)`;

/** As JSON, which is read ten times as fast as rows are when there are 100,000 series. */
const samplesStatement = statement<Pick<PointsAt, 'at' | 'ids' | 'lasts'>>(
  'samples_of_series',
  `SELECT extract(epoch FROM at)::float8 * 1000 AS at, json_agg(series_id) AS ids, json_agg(last) AS lasts
FROM metric_points WHERE ${range} GROUP BY metric_points.at ORDER BY metric_points.at`,
);

const rolledStatement = statement<PointsAt>(
  'roll_ups_of_series',
  `SELECT extract(epoch FROM at)::float8 * 1000 AS at, json_agg(series_id) AS ids, json_agg(count) AS counts, json_agg(sum) AS sums,
       json_agg(min) AS mins, json_agg(max) AS maxs, json_agg(last) AS lasts
FROM metric_points WHERE ${range} GROUP BY metric_points.at ORDER BY metric_points.at`,
);

const throughStatement = statement<RolledThrough>(
  'rolled_through',
  `SELECT extract(epoch FROM minutes_through)::float8 * 1000 AS minutes, extract(epoch FROM hours_through)::float8 * 1000 AS hours FROM metrics_state`,
);

const latestOf = (step: number) =>
  `(SELECT max(at) FROM metric_points p WHERE step_seconds = ${step} AND series_id = s.id AND at > to_timestamp($2::float8 / 1000))`;

const lastSeenStatement = statement<{ id: number; at: number }>(
  'series_last_seen',
  `SELECT id, extract(epoch FROM at)::float8 * 1000 AS at FROM (
  SELECT s.id, greatest(${latestOf(steps.sample)}, ${latestOf(steps.minute)}, ${latestOf(steps.hour)}) AS at FROM unnest($1::int[]) AS s(id)
) seen WHERE at IS NOT NULL`,
);

const sampledSinceStatement = statement<{ since: number | null }>(
  'sampled_since',
  `WITH looks AS (
  SELECT at FROM metric_points WHERE step_seconds = ${steps.minute} AND series_id = $1 AND at > to_timestamp($2::float8 / 1000)
  UNION ALL
  -- The latest are not rolled up yet.
  SELECT at FROM metric_points WHERE step_seconds = ${steps.sample} AND series_id = $1
    AND at > greatest(to_timestamp($2::float8 / 1000), (SELECT minutes_through - interval '1 minute' FROM metrics_state))
), gaps AS (
  SELECT at, at - lag(at) OVER (ORDER BY at) AS gap FROM looks
)
SELECT extract(epoch FROM max(at))::float8 * 1000 AS since FROM gaps WHERE gap IS NULL OR gap > make_interval(secs => $3)`,
);

/** SQL of those who follow many series: all points of a time, for any number of series at once. */
export class PointsStore {
  constructor(private readonly database: Queryable) {}

  /** Of these metrics, those with an id above `after`. */
  series(metrics: string[], after: number, limit: number): Promise<KnownSeries[]> {
    return this.database.query(knownSeriesStatement, [metrics, after, limit]);
  }

  /** From `from` to before `to`, oldest first. */
  async points(step: number, ids: number[], from: number, to: number): Promise<PointsAt[]> {
    if (step !== steps.sample) return this.database.query(rolledStatement, [step, ids, from, to]);
    const rows = await this.database.query(samplesStatement, [step, ids, from, to]);
    return rows.map(({ at, ids, lasts }) => ({ at, ids, counts: [], sums: lasts, mins: lasts, maxs: lasts, lasts }));
  }

  async rolledThrough(): Promise<RolledThrough> {
    return (await this.database.query(throughStatement))[0]!;
  }

  /** When each series last had a point after `since`; without those that had none. */
  lastSeen(ids: number[], since: number): Promise<{ id: number; at: number }[]> {
    return this.database.query(lastSeenStatement, [ids, since]);
  }

  /** When the series began to come without gaps of more than `gapSeconds`; undefined without any point after `after`. */
  async sampledSince(id: number, after: number, gapSeconds: number): Promise<number | undefined> {
    return (await this.database.query(sampledSinceStatement, [id, after, gapSeconds]))[0]!.since ?? undefined;
  }
}
