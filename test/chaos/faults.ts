import type { Random } from './random.js';
import type { World } from './world.js';

/** What one fault is done to; two faults never share a target at the same time. */
export type Target = 'process' | 'connections' | 'database';

export interface Fault {
  kind: string;
  target: Target;
  /** Does it and heals it. `index`: the replica it is done to, where it is done to one. */
  inject(world: World, random: Random, index: number): Promise<void>;
}
