import { taskStatuses, type TaskStatus } from '../../tasks/task.js';
import { bucketName, sumName, type Duration } from './count-changes.js';
import { durationBounds, quantileOf } from './duration-buckets.js';
import type { TaskCount } from './task-counts.js';

/** Seconds; null when nothing of the kind happened. */
export interface Quantiles {
  p50: number | null;
  p95: number | null;
  p99: number | null;
}

/** What happened to the tasks of a queue, a type or all, over the last minutes. */
export interface RecentActivity {
  /** Tasks that ended per second, over the last minute. */
  throughput: number;
  /** From queued to started, over the last five minutes. */
  wait_time: Quantiles;
  /** From started to the end. */
  run_time: Quantiles;
  /** Of those that ended completed or failed, over the last five minutes. */
  finished: number;
  failed: number;
}

type StatusCounts = { [S in TaskStatus as `${S}_tasks`]: number };

export interface TaskMetrics extends StatusCounts, Omit<RecentActivity, 'finished' | 'failed'> {
  total_tasks: number;
  /** Completed among those that are stored and ended completed or failed, 0 to 1; null when there are none. */
  success_rate: number | null;
  failure_rate: number | null;
  /** Of the task that has waited longest in line, in seconds; 0 when nothing waits. */
  oldest_waiting_seconds: number;
}

/** The numbers of `task_counts` by name, summed over what they are asked for. */
export type NamedCounts = ReadonlyMap<string, number>;

/** Adds the counts up by `keyOf`; those of the key undefined are left out. */
export function sumBy(counts: TaskCount[], keyOf: (count: TaskCount) => string | undefined): Map<string, Map<string, number>> {
  const sums = new Map<string, Map<string, number>>();
  for (const count of counts) {
    const key = keyOf(count);
    if (key === undefined) continue;
    const names = sums.get(key) ?? new Map<string, number>();
    sums.set(key, names.set(count.name, (names.get(count.name) ?? 0) + count.value));
  }
  return sums;
}

const quiet: Quantiles = { p50: null, p95: null, p99: null };
export const noActivity: RecentActivity = { throughput: 0, wait_time: quiet, run_time: quiet, finished: 0, failed: 0 };

/** Between then and now: `minute` and `window` are the counts of about a minute and five minutes ago, `minuteSeconds` the exact distance. */
export function recentActivity(now: NamedCounts, minute: NamedCounts, minuteSeconds: number, window: NamedCounts): RecentActivity {
  const since = (then: NamedCounts, name: string) => Math.max(0, (now.get(name) ?? 0) - (then.get(name) ?? 0));
  const ended = (then: NamedCounts) => since(then, 'completed_total') + since(then, 'failed_total');
  const quantiles = (duration: Duration): Quantiles => {
    const buckets = Array.from({ length: durationBounds.length + 1 }, (_, bucket) => since(window, bucketName(duration, bucket)));
    return { p50: quantileOf(buckets, 0.5), p95: quantileOf(buckets, 0.95), p99: quantileOf(buckets, 0.99) };
  };
  return {
    throughput: minuteSeconds > 0 ? (ended(minute) + since(minute, 'cancelled_total')) / minuteSeconds : 0,
    wait_time: quantiles('wait'),
    run_time: quantiles('run'),
    finished: ended(window),
    failed: since(window, 'failed_total'),
  };
}

export function taskMetrics(counts: NamedCounts, recent: RecentActivity, oldestWaitingSeconds: number): TaskMetrics {
  // Between two transactions a status may be counted below zero for a moment.
  const of = (status: TaskStatus) => Math.max(0, counts.get(status) ?? 0);
  const byStatus = Object.fromEntries(taskStatuses.map((status) => [`${status}_tasks`, of(status)])) as StatusCounts;
  const ended = of('completed') + of('failed');
  const { throughput, wait_time, run_time } = recent;
  return {
    total_tasks: taskStatuses.reduce((sum, status) => sum + of(status), 0),
    ...byStatus,
    success_rate: ended ? of('completed') / ended : null,
    failure_rate: ended ? of('failed') / ended : null,
    throughput,
    wait_time,
    run_time,
    oldest_waiting_seconds: oldestWaitingSeconds,
  };
}

/** A histogram of `task_counts`, as Prometheus wants it: cumulative buckets by upper bound, sum and count. */
export function histogramOf(
  counts: NamedCounts,
  duration: Duration,
): { buckets: [bound: number, count: number][]; sum: number; count: number } {
  let count = 0;
  const buckets = durationBounds.map((bound, bucket): [number, number] => {
    count += counts.get(bucketName(duration, bucket)) ?? 0;
    return [bound, count];
  });
  count += counts.get(bucketName(duration, durationBounds.length)) ?? 0;
  return { buckets, sum: counts.get(sumName(duration)) ?? 0, count };
}
