import { expect, test } from 'vitest';
import { Timings } from './timings.js';

test('each observation is counted once, in the bucket that takes it, and in all above', async () => {
  const timings = new Timings('t_seconds', 'T.', ['a'], [0.1, 1]);
  for (const seconds of [0.05, 0.1, 0.5, 3]) timings.observe(seconds, ['x']);
  timings.observe(2, ['y']);
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

test('a bucket shows the last observation whose trace is known', async () => {
  const timings = new Timings('t_seconds', 'T.', ['a'], [0.1, 1]);
  timings.observe(0.05, ['x'], 'first');
  timings.observe(0.06, ['x'], 'second');
  timings.observe(0.07, ['x']);
  timings.observe(3, ['x'], 'slow');
  const { values } = await timings.get();
  expect(values.map(({ labels, exemplar }) => [labels.le, exemplar?.labelSet.trace_id, exemplar?.value])).toEqual([
    [0.1, 'second', 0.06],
    [1, undefined, undefined],
    ['+Inf', 'slow', 3],
    [undefined, undefined, undefined],
    [undefined, undefined, undefined],
  ]);
  expect(values[0]!.exemplar!.timestamp).toBeCloseTo(Date.now() / 1_000, -1);
});
