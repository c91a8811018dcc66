import type { Engine } from '../engine.js';
import type { Duty } from './loop.js';

const batch = 500;

/** Moves scheduled tasks that are due into their line. */
export function scheduler(engine: Engine): Duty {
  return { name: 'scheduler', intervalMs: 1_000, run: async () => (await engine.stageDue(batch)) === batch };
}
