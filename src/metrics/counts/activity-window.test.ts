import { expect, test } from 'vitest';
import { ActivityWindow } from './activity-window.js';

const counts = (completed: number, failed = 0) =>
  new Map([
    ['completed_total', completed],
    ['failed_total', failed],
    ['run_bucket_8', completed + failed],
  ]);
const at = (seconds: number) => seconds * 1_000;

test('throughput is that of the last minute, rates and quantiles those of the last five', () => {
  const window = new ActivityWindow();
  for (let seconds = 0; seconds <= 600; seconds += 10)
    window.add(at(seconds), new Map([['all', counts(seconds, seconds < 400 ? 0 : 100)]]));
  const activity = window.activity('all', counts(660, 100), at(660));
  expect(activity.throughput).toBe(1);
  // Since 300, five minutes before the last sample.
  expect(activity.finished).toBe(460);
  expect(activity.failed).toBe(100);
  // 0.1 to 0.25 s is the bucket of all of them.
  expect(activity.run_time.p50).toBeGreaterThan(0.1);
  expect(activity.run_time.p99).toBeLessThanOrEqual(0.5);
});

test('a young window tells of what it has seen, and an empty one of nothing', () => {
  const window = new ActivityWindow();
  expect(window.activity('all', counts(5), at(0))).toMatchObject({ throughput: 0, finished: 0, run_time: { p50: null } });
  window.add(at(0), new Map([['all', counts(100)]]));
  expect(window.activity('all', counts(120), at(10))).toMatchObject({ throughput: 2, finished: 20 });
});
