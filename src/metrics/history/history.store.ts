import { statement, type Database } from '../../database/database.js';
import { steps, type Sample, type SeriesRow } from './series.js';

/** `at`: the beginning of the step. */
export interface PointRow {
  series_id: number;
  at: string;
  count: number;
  sum: number;
  min: number;
  max: number;
  last: number;
}

const nameStatement = statement<SeriesRow>(
  'name_series',
  `INSERT INTO metric_series (tenant_id, metric, labels)
SELECT * FROM unnest($1::text[], $2::text[], $3::jsonb[]) AS i(tenant_id, metric, labels)
-- So that those that are there already are answered, too.
ON CONFLICT (tenant_id, metric, labels) DO UPDATE SET metric = excluded.metric
RETURNING id, tenant_id, metric, labels`,
);

const addStatement = statement(
  'add_points',
  `INSERT INTO metric_points (step_seconds, series_id, at, count, sum, min, max, last)
SELECT ${steps.sample}, series_id, to_timestamp($3::float8), 1, value, value, value, value
FROM unnest($1::int[], $2::float8[]) AS i(series_id, value)
ON CONFLICT (step_seconds, series_id, at) DO UPDATE SET count = 1, sum = excluded.sum, min = excluded.min, max = excluded.max, last = excluded.last`,
);

const seriesStatement = statement<SeriesRow>(
  'list_series',
  `SELECT id, tenant_id, metric, labels FROM metric_series WHERE tenant_id = ANY($1::text[]) AND ($2::text IS NULL OR metric = $2)
ORDER BY id LIMIT $3`,
);

const pointsStatement = statement<PointRow>(
  'read_points',
  `SELECT series_id, date_bin(make_interval(secs => $5), at, 'epoch') AS at, sum(count)::int AS count, sum(sum) AS sum, min(min) AS min, max(max) AS max,
       (array_agg(last ORDER BY at DESC))[1] AS last
FROM metric_points
WHERE step_seconds = $1 AND series_id = ANY($2::int[]) AND at >= $3 AND at < $4
GROUP BY 1, 2 ORDER BY 1, 2`,
);

const rollUpStatement = (name: string, from: number, to: number, column: string) =>
  statement<{ done: number }>(
    name,
    `WITH span AS MATERIALIZED (
  -- A replica that is a little late with its samples is waited for; an hour at a time, however long nobody was there.
  SELECT ${column} AS since, least(${column} + interval '1 hour',
    date_bin(interval '${to} seconds', now() - interval '30 seconds', 'epoch')) AS until
  FROM metrics_state FOR UPDATE
), rolled AS (
  INSERT INTO metric_points (step_seconds, series_id, at, count, sum, min, max, last)
  SELECT ${to}, series_id, date_bin(interval '${to} seconds', at, 'epoch'), sum(count), sum(sum), min(min), max(max), (array_agg(last ORDER BY at DESC))[1]
  FROM metric_points, span
  WHERE step_seconds = ${from} AND at >= span.since AND at < span.until
  GROUP BY series_id, date_bin(interval '${to} seconds', at, 'epoch')
  ON CONFLICT (step_seconds, series_id, at) DO UPDATE
  SET count = excluded.count, sum = excluded.sum, min = excluded.min, max = excluded.max, last = excluded.last
)
UPDATE metrics_state SET ${column} = span.until FROM span WHERE span.until > span.since RETURNING 1 AS done`,
  );

const rollMinutes = rollUpStatement('roll_up_minutes', steps.sample, steps.minute, 'minutes_through');
const rollHours = rollUpStatement('roll_up_hours', steps.minute, steps.hour, 'hours_through');

const pruneStatement = statement<{ pruned: number }>(
  'prune_points',
  `WITH old AS (
  SELECT step_seconds, series_id, at FROM metric_points WHERE step_seconds = $1 AND at < now() - make_interval(hours => $2) ORDER BY at LIMIT $3
), gone AS (
  DELETE FROM metric_points p USING old WHERE p.step_seconds = old.step_seconds AND p.series_id = old.series_id AND p.at = old.at RETURNING 1
)
SELECT count(*) AS pruned FROM gone`,
);

const maxSeries = 100_000;

/** SQL of the history: series by name, their points in three resolutions. */
export class HistoryStore {
  private readonly ids = new Map<string, number>();
  private readonly listeners = new Set<() => void>();

  constructor(private readonly database: Database) {}

  /** `at`: seconds since the epoch; is moved to the beginning of its step. */
  async add(samples: Sample[], at: number): Promise<void> {
    if (!samples.length) return;
    await this.name(samples.filter((sample) => !this.ids.has(keyOf(sample))));
    await this.database.loops.query(addStatement, [
      samples.map((sample) => this.ids.get(keyOf(sample))),
      samples.map((sample) => sample.value),
      Math.floor(at / steps.sample) * steps.sample,
    ]);
    for (const listener of this.listeners) listener();
  }

  /** Hears of it when this replica has added samples. */
  onAdded(listener: () => void): void {
    this.listeners.add(listener);
  }

  /** The series of the server and of the tenant. */
  series(tenantId: string, metric?: string): Promise<SeriesRow[]> {
    return this.database.api.query(seriesStatement, [['', tenantId], metric ?? null, maxSeries]);
  }

  /** From the stored resolution `stored`, in steps of `step` seconds. */
  points(ids: number[], stored: number, from: Date, to: Date, step: number): Promise<PointRow[]> {
    return this.database.api.query(pointsStatement, [stored, ids, from, to, step]);
  }

  /** Answers whether there was something to do, and so may be more. */
  async rollUp(): Promise<boolean> {
    const minutes = await this.database.loops.query(rollMinutes);
    const hours = await this.database.loops.query(rollHours);
    return minutes.length + hours.length > 0;
  }

  /** Answers how many went; `limit` of them means that there may be more. */
  async prune(step: number, hours: number, limit: number): Promise<number> {
    const [row] = await this.database.loops.query(pruneStatement, [step, hours, limit]);
    return row!.pruned;
  }

  /** Looks all series up again when they have samples. Answers how many it knew. */
  forget(): number {
    const count = this.ids.size;
    this.ids.clear();
    return count;
  }

  private async name(samples: Sample[]): Promise<void> {
    if (!samples.length) return;
    const unique = [...new Map(samples.map((sample) => [keyOf(sample), sample])).values()];
    const rows = await this.database.loops.query(nameStatement, [
      unique.map((sample) => sample.tenant_id),
      unique.map((sample) => sample.metric),
      unique.map((sample) => JSON.stringify(sample.labels)),
    ]);
    for (const row of rows) this.ids.set(keyOf(row), row.id);
  }
}

/** The same for the same labels, in whatever order. */
function keyOf({ tenant_id, metric, labels }: Omit<Sample, 'value'>): string {
  const pairs = Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([tenant_id, metric, ...pairs]);
}
