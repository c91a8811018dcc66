import type { Settings } from '../../settings.js';

/** Beginning so often within so many seconds is flapping; 0 times: nothing is. */
export interface Flapping {
  times: number;
  seconds: number;
}

export function flappingOf({ ALERTS_FLAPPING_COUNT, ALERTS_FLAPPING_MINUTES }: Settings): Flapping {
  return { times: ALERTS_FLAPPING_COUNT, seconds: ALERTS_FLAPPING_MINUTES * 60 };
}
