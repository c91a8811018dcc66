import type { Api } from './api.js';
import { NotInTime } from './failures.js';
import type { Printer } from './print.js';
import { filled } from './table.js';
import type { Item } from './text.js';

const pollMs = 100;

/** The version when every replica that runs applies it, or as it is when the time is over. */
export async function awaitEverywhere(api: Api, version: number, seconds: number): Promise<Item> {
  const deadline = performance.now() + seconds * 1_000;
  for (;;) {
    const applied = await api.get(`/config/versions/${version}`);
    const left = deadline - performance.now();
    if (applied.complete || left <= 0) return applied;
    await new Promise((resolve) => setTimeout(resolve, Math.min(pollMs, left)));
  }
}

export function replicaTable(print: Printer, { replicas }: Item): string[] {
  const all = replicas as Item[];
  return print.table(
    all,
    filled(['replica_id', 'version', 'applied_at', 'restart_keys', 'refused_keys'], all, ['replica_id', 'applied_at']),
  );
}

/** Throws when the time was over first. */
export function stillMissing({ version, replicas, complete }: Item, seconds: number): void {
  if (complete) return;
  const missing = (replicas as Item[]).filter(({ applied_at }) => applied_at === null).map(({ replica_id }) => String(replica_id));
  throw new NotInTime(
    `After ${seconds} s version ${String(version)} is not applied by ${missing.join(', ')}. ` +
      'The change holds, and they take it as soon as they can; one that has died is listed for another 45 s.',
  );
}
