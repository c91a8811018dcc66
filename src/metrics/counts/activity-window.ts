import { noActivity, recentActivity, type NamedCounts, type RecentActivity } from './task-metrics.js';

const minuteMs = 60_000;
const windowMs = 5 * minuteMs;
/** So that there is one of about a minute ago, however often samples are taken. */
const spacingMs = 5_000;

interface Moment {
  at: number;
  counts: Map<string, Map<string, number>>;
}

/** Remembers the counts of the last minutes, to tell what has happened since. By key: a queue, a type, or both. */
export class ActivityWindow {
  private moments: Moment[] = [];

  /** `at`: milliseconds, growing. */
  add(at: number, counts: Map<string, Map<string, number>>): void {
    const last = this.moments.at(-1);
    if (last && at - last.at < spacingMs) return;
    this.moments.push({ at, counts });
    // One that is older than the window stays, as its beginning.
    while (this.moments.length > 1 && this.moments[1]!.at <= at - windowMs) this.moments.shift();
  }

  /** What happened to `key` until `now`, at `at`. */
  activity(key: string, now: NamedCounts, at: number): RecentActivity {
    const first = this.moments[0];
    if (!first) return noActivity;
    const minute = this.moments.findLast((moment) => moment.at <= at - minuteMs) ?? first;
    const of = ({ counts }: Moment): NamedCounts => counts.get(key) ?? nothing;
    return recentActivity(now, of(minute), (at - minute.at) / 1_000, of(first));
  }
}

const nothing: NamedCounts = new Map();
