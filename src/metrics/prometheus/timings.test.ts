import { expect, test } from 'vitest';
import { Timings } from './timings.js';

test('each observation is counted once, in the bucket that takes it, and in all above', async () => {
  const timings = new Timings('t_seconds', 'T.', ['a'], [0.1, 1]);
  for (const seconds of [0.05, 0.1, 0.5, 3]) timings.observe(seconds, 'x');
  timings.observe(2, 'y');
  const { values } = await timings.get();
  const of = (a: string) =>
    values.filter(({ labels }) => labels.a === a).map(({ metricName, labels, value }) => `${metricName} ${labels.le ?? ''} ${value}`);
  expect(of('x')).toEqual([
    't_seconds_bucket 0.1 2',
    't_seconds_bucket 1 3',
    't_seconds_bucket +Inf 4',
    't_seconds_sum  3.65',
    't_seconds_count  4',
  ]);
  expect(of('y')).toEqual([
    't_seconds_bucket 0.1 0',
    't_seconds_bucket 1 0',
    't_seconds_bucket +Inf 1',
    't_seconds_sum  2',
    't_seconds_count  1',
  ]);
});
