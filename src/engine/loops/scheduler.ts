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
      hinted = false;
      // Nothing is due before that, unless a hint says so meanwhile.
      if ((await engine.stageDue(batch)) === batch) return (hinted = true);
      const seconds = await engine.secondsUntilDue();
      lookAt = performance.now() + Math.min(longestMs, seconds * 1_000);
      return false;
    },
  };
}
