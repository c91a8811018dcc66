import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { openTestDatabase } from '../../../test/support/database.js';
import { aThreshold, anExpectation } from '../../../test/support/rules.js';
import { HistoryStore } from '../../metrics/history/history.store.js';
import { PointsStore } from '../../metrics/history/points.store.js';
import type { RuleDefinition } from './rule.js';
import { RuleTester } from './rule-tester.js';

let open: Awaited<ReturnType<typeof openTestDatabase>>;
let history: HistoryStore;
let tester: RuleTester;
/** Seconds since the epoch, a multiple of 60. */
let begin: number;

beforeAll(async () => {
  open = await openTestDatabase();
  tester = new RuleTester(new PointsStore(open.database.api), {
    METRICS_SAMPLES_HOURS: 6,
    METRICS_MINUTES_DAYS: 7,
    METRICS_INTERVAL_SECONDS: 5,
  });
});
afterAll(() => open.close());
beforeEach(async () => {
  await open.database.api.queryText('TRUNCATE metric_series, metric_points');
  history = new HistoryStore(open.database);
  begin = Math.floor(Date.now() / 60_000) * 60 - 1_800;
});

/** One value of the series every ten seconds, `undefined` for none; the leader looks all the time. */
async function sampled(values: (number | undefined)[], labels: Record<string, string> = {}): Promise<void> {
  for (const [index, value] of values.entries()) {
    const own = value === undefined ? [] : [{ tenant_id: 'default', metric: 'm', labels, value }];
    await history.add([{ tenant_id: '', metric: 'arkitect_replicas', labels: {}, value: 1 }, ...own], begin + 10 * index);
  }
}

const seconds = (index: number) => new Date((begin + 10 * index) * 1_000).toISOString();
const run = (rule: RuleDefinition, from: number, to: number) =>
  tester.test('default', rule, (begin + 10 * from) * 1_000, (begin + 10 * to) * 1_000);

test('a test says when alerts would have been raised and ended, and how bad it was', async () => {
  await sampled([1, 1, 11, 12, 15, 13, 1, 1, 1, 20, 20, 20]);
  const { firings, ...rest } = await run(aThreshold({ for_seconds: 20, labels: { team: 'a' } }), 0, 11);
  expect(rest).toEqual({ from: seconds(0), to: seconds(11), step_seconds: 10, evaluations: 12, series: 1, truncated: false });
  expect(firings).toEqual([
    { labels: { team: 'a' }, from: seconds(4), to: seconds(6), peak: 15 },
    { labels: { team: 'a' }, from: seconds(11), to: null, peak: 20 },
  ]);
});

test('what came before counts for the first windows, and what comes later does not', async () => {
  await sampled([99, 1, 1, 1, 1, 1, 1, 1, 1, 99]);
  expect((await run(aThreshold({ aggregation: 'max' }), 4, 8)).firings).toEqual([
    { labels: {}, from: seconds(4), to: seconds(6), peak: 99 },
  ]);
});

test('an expectation is tested with what the series did', async () => {
  await sampled([1, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 4, 4]);
  const { firings } = await run(anExpectation({ within_seconds: 60 }), 0, 12);
  expect(firings).toEqual([{ labels: {}, from: seconds(8), to: seconds(11), peak: 0 }]);
});

test('nothing is concluded from a time in which nothing was sampled', async () => {
  await sampled([1, 1, 1]);
  begin += 1_200;
  await sampled([1, 1, 1]);
  begin -= 1_200;
  expect((await run(aThreshold({ no_data: 'alert' }), 0, 122)).firings).toEqual([]);
});

test('a long range is tested by the minute, from what is rolled up and what is not yet', async () => {
  const labels = { host: 'a' };
  await sampled([1], labels);
  begin -= 8 * 3_600;
  const api = open.database.api;
  await api.queryText(
    `INSERT INTO metric_points (step_seconds, series_id, at, count, sum, min, max, last)
SELECT 60, id, to_timestamp($1::float8) + i * interval '1 minute', 6, 6, 1, CASE WHEN i = 60 THEN 30 ELSE 1 END, 1
FROM metric_series, generate_series(0, 470) i`,
    [begin],
  );
  await api.queryText('UPDATE metrics_state SET minutes_through = to_timestamp($1::float8)', [begin + 8 * 3_600 - 540]);
  const end = 8 * 360;
  const { firings, ...rest } = await run(aThreshold({ aggregation: 'max' }), 30, end);
  expect(rest).toMatchObject({ step_seconds: 60, series: 1 });
  expect(firings).toEqual([{ labels, from: seconds(360), to: seconds(366), peak: 30 }]);
});

test('too much for one test is refused', async () => {
  for (let index = 0; index < 201; index++)
    await history.add([{ tenant_id: 'default', metric: 'm', labels: { index: `${index}` }, value: 1 }], begin);
  await expect(run(aThreshold(), 0, 1)).rejects.toMatchObject({ fields: [{ field: 'spec.matchers' }] });
  const matchers = [{ label: 'index', operator: '=~' as const, value: '.|..' }];
  await expect(run(aThreshold({ matchers }), -60_000, 0)).rejects.toMatchObject({ fields: [{ field: 'from' }] });
});
