import type { Engine } from '../engine.js';
import type { RescueLimits } from '../transitions/rescue.js';
import type { Duty } from './loop.js';

const batch = 500;

/** Takes back the work of workers that went silent, and of attempts that ignore their cancel. */
export function rescuer(engine: Engine, limits: () => Omit<RescueLimits, 'limit'>): Duty {
  return { name: 'rescuer', intervalMs: 4_000, run: async () => (await engine.rescue({ ...limits(), limit: batch })) === batch };
}
