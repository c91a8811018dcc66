import { ofKind, type Entry } from './history.js';
import type { Stored } from './stored.js';

/** The process id in a worker's name. */
export function processOf(worker: string): number {
  return Number(/-(\d+)-[0-9a-f]{8}$/.exec(worker)?.[1]);
}

export interface Redelivery {
  /** Seconds from each kill to the next start of each task that it interrupted. */
  afterKill: number[];
  /** The same from each freeze, for attempts that somebody else took over before the thaw. */
  afterFreeze: number[];
}

/** How long interrupted attempts waited for their next one. */
export function redelivery(history: readonly Entry[], { events, lost }: Stored): Redelivery {
  const starts = new Map(
    events.filter((event) => event.action === 'task_started').map((event) => [`${event.id} ${event.attempt}`, event.at]),
  );
  const kills = new Map(ofKind(history, 'killed').map((entry) => [entry.process, entry.at]));
  const freezes = Map.groupBy(ofKind(history, 'frozen'), (entry) => entry.process);
  const result: Redelivery = { afterKill: [], afterFreeze: [] };
  for (const { id, attempt, worker, at } of lost) {
    const again = starts.get(`${id} ${attempt + 1}`);
    if (again === undefined) continue;
    const process = processOf(worker);
    const killedAt = kills.get(process);
    const freeze = freezes.get(process)?.find((entry) => entry.at <= at && at <= entry.until);
    if (killedAt !== undefined && killedAt <= at) result.afterKill.push((again - killedAt) / 1_000);
    else if (freeze) result.afterFreeze.push((again - freeze.at) / 1_000);
  }
  return result;
}

export function percentiles(seconds: number[]): string {
  if (!seconds.length) return 'none';
  const sorted = seconds.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!.toFixed(1);
  return `p50 ${at(0.5)} s, p99 ${at(0.99)} s, max ${sorted.at(-1)!.toFixed(1)} s (${sorted.length} tasks)`;
}
