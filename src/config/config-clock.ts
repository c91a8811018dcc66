import type { Duty } from '../engine/loops/loop.js';
import type { WakeUps } from '../events/wake-ups.js';
import type { SettingKey } from '../settings.js';
import { changeAnswers } from './config-answers.js';
import type { ConfigSync } from './config-sync.js';
import type { ConfigStore } from './config.store.js';
import { changesBetween, holdsAfter, isOverAt, keysOf, withChanges, type ConfigVersion, type Override } from './overrides.js';

/** So late at most does a time-boxed change end; the database is asked only when one is over. */
const intervalMs = 500;
const by = 'clock';

/** Takes back what was time-boxed and is over, by versions of its own: one for each that is taken back. */
export function configClock(store: ConfigStore, sync: ConfigSync, wakeUps: WakeUps): Duty {
  return {
    name: 'clock of the configuration',
    intervalMs,
    async run() {
      const isOver = isOverAt(Date.now());
      if (!keysOf(sync.overrides).some((key) => isOver(sync.overrides[key]!))) return false;
      const reverted = await revertOne(store);
      if (reverted) wakeUps.signal('events', 'config');
      await sync.refresh();
      return reverted !== undefined;
    },
  };
}

/** The earliest version of which something is over. */
function revertOne(store: ConfigStore): Promise<ConfigVersion | undefined> {
  return store.change(async ({ overrides }, now, find) => {
    const isOver = isOverAt(Date.parse(now));
    const over = keysOf(overrides).filter((key) => isOver(overrides[key]!));
    if (over.length === 0) return undefined;
    const reverted_from = Math.min(...over.map((key) => overrides[key]!.version));
    const ended = new Map<SettingKey, Override | null>();
    for (const key of over) {
      const override = overrides[key]!;
      if (override.version === reverted_from) ended.set(key, await holdsAfter(key, override, isOver, find));
    }
    const after = withChanges(overrides, ended);
    const changes = changesBetween(overrides, after);
    const rest = { reason: null, expires_at: null, rolled_back_to: null, by, reverted_from };
    return { changes, overrides: after, ...rest, event: { ...rest, changes: changeAnswers(changes) } };
  });
}
