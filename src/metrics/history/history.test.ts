import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { openTestDatabase } from '../../../test/support/database.js';
import { testSettings } from '../../../test/support/server.js';
import { HistoryReader } from './history-reader.js';
import { HistoryStore } from './history.store.js';
import { steps } from './series.js';

let open: Awaited<ReturnType<typeof openTestDatabase>>;
let store: HistoryStore;
let reader: HistoryReader;
beforeAll(async () => {
  open = await openTestDatabase();
  store = new HistoryStore(open.database);
  reader = new HistoryReader(store, testSettings({}));
});
afterAll(() => open.close());
beforeEach(() => open.database.api.queryText('TRUNCATE metric_points'));

const sample = (value: number, labels: Record<string, string> = { queue: 'a' }, tenant_id = 'default') => ({
  tenant_id,
  metric: 'arkitect_tasks',
  labels,
  value,
});
const now = () => Date.now() / 1_000;
/** The beginning of the hour before the last one, in seconds. */
const longAgo = () => Math.floor(now() / 3_600) * 3_600 - 7_200;
const points = async (query: { from: number; to: number; step?: number }) =>
  (await reader.read('default', { metric: 'arkitect_tasks', ...query })).series.map((series) => series.points);

test('samples are read as they were taken, by series', async () => {
  const at = Math.floor(now() / 10) * 10 - 20;
  await store.add([sample(1), sample(5, { queue: 'b' })], at + 3);
  await store.add([sample(2)], at + 13);
  const view = await reader.read('default', { metric: 'arkitect_tasks', from: (at - 60) * 1_000, to: (at + 60) * 1_000, step: 10 });
  expect(view.step).toBe(10);
  expect(view.series).toEqual([
    {
      labels: { queue: 'a' },
      points: [
        { at: new Date(at * 1_000).toISOString(), avg: 1, min: 1, max: 1, last: 1 },
        { at: new Date((at + 10) * 1_000).toISOString(), avg: 2, min: 2, max: 2, last: 2 },
      ],
    },
    { labels: { queue: 'b' }, points: [{ at: new Date(at * 1_000).toISOString(), avg: 5, min: 5, max: 5, last: 5 }] },
  ]);
});

test('minutes and hours keep mean, extremes and the latest value', async () => {
  const hour = longAgo();
  for (let second = 0; second < 3_600; second += 10) await store.add([sample(second)], hour + second);
  await open.database.api.queryText(
    'UPDATE metrics_state SET minutes_through = to_timestamp($1::float8), hours_through = to_timestamp($1::float8)',
    [hour],
  );
  while (await store.rollUp());
  const range = { from: hour * 1_000, to: (hour + 3_600) * 1_000 };
  const [minutes] = await points({ ...range, step: 60 });
  expect(minutes).toHaveLength(60);
  expect(minutes![1]).toMatchObject({ avg: 85, min: 60, max: 110, last: 110 });
  const [hours] = await points({ ...range, step: 3_600 });
  expect(hours).toEqual([{ at: new Date(hour * 1_000).toISOString(), avg: 1_795, min: 0, max: 3_590, last: 3_590 }]);
});

test('rolling up again changes nothing', async () => {
  const hour = longAgo();
  await store.add([sample(7)], hour);
  for (let round = 0; round < 2; round++) {
    await open.database.api.queryText(
      'UPDATE metrics_state SET minutes_through = to_timestamp($1::float8), hours_through = to_timestamp($1::float8)',
      [hour],
    );
    while (await store.rollUp());
  }
  const rows = await open.database.api.queryText<{ step_seconds: number; count: number }>(
    'SELECT step_seconds, count FROM metric_points ORDER BY 1',
  );
  expect(rows).toEqual([steps.sample, steps.minute, steps.hour].map((step_seconds) => ({ step_seconds, count: 1 })));
});

test('old points go in bounded batches, young ones stay', async () => {
  for (let index = 0; index < 5; index++) await store.add([sample(index)], now() - 8 * 3_600 - index * 10);
  await store.add([sample(9)], now());
  expect(await store.prune(steps.sample, 6, 3)).toBe(3);
  expect(await store.prune(steps.sample, 6, 3)).toBeLessThan(3);
  expect(await open.database.api.queryText('SELECT last FROM metric_points')).toEqual([{ last: 9 }]);
});

test("another tenant's series are not seen, those of the server are", async () => {
  await store.add([sample(1, {}, 'other'), sample(2, {}, ''), sample(3, {}, 'default')], now());
  const [...values] = await points({ from: Date.now() - 60_000, to: Date.now() + 60_000, step: 10 });
  expect(values.flat().map(({ last }) => last)).toEqual([2, 3]);
});

test('too many points are refused with what would be accepted', async () => {
  const query = { metric: 'arkitect_tasks', from: Date.now() - 3 * 3_600_000 * 24, to: Date.now(), step: 10 };
  const wide = { ...query, from: Date.now() - 5 * 3_600_000, to: Date.now() + 40 * 3_600_000 };
  await expect(reader.read('default', wide)).rejects.toMatchObject({ code: 'VALIDATION_FAILED', fields: [{ field: 'step' }] });
  // From the minutes it is not too many.
  expect((await reader.read('default', query)).step).toBe(60);
});
