import type { WakeUps } from '../../events/wake-ups.js';
import type { Engine } from '../engine.js';
import type { Duty } from './loop.js';

const batch = 500;
/** A hint may be lost: what it would have told of is found this much later. */
const longestMs = 5_000;

/** Moves scheduled tasks that are due into their line. Looks when the next one is due, or when a new one may be sooner. */
export function scheduler(engine: Engine, wakeUps: Pick<WakeUps, 'on'>): Duty {
  let lookAt = 0;
  let hinted = true;
  wakeUps.on('scheduled', () => (hinted = true));
  return {
    name: 'scheduler',
    intervalMs: 1_000,
    async run() {
      if (!hinted && performance.now() < lookAt) return false;
      // A hint that comes from here on may be about what these statements do not see.
      hinted = false;
      const waitMs = Math.min(longestMs, (await engine.secondsUntilDue()) * 1_000);
      lookAt = performance.now() + waitMs;
      if (waitMs > 0) return false;
      // Others may be due by now, or have been locked.
      hinted = true;
      return (await engine.stageDue(batch)) === batch;
    },
  };
}
