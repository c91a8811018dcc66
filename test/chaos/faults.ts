import type { Random } from './random.js';
import type { World } from './world.js';

/** What one fault is done to; two faults never share a target at the same time. All but the last three are of one replica. */
export type Target = 'process' | 'connections' | 'connections to Redis' | 'database' | 'Redis' | 'worker';

export interface Fault {
  kind: string;
  target: Target;
  /** Does it and heals it. `index`: the replica it is done to, where it is done to one. */
  inject(world: World, random: Random, index: number): Promise<void>;
}

/** Faults that are drawn by the same hands; with two of them, faults overlap now and then. */
export interface Deck {
  faults: Fault[];
  hands: number;
}
