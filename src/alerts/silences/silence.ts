import type { Labels } from '../alert.js';
import { matchesAll, type Matcher } from '../matchers.js';

export const silenceStatuses = ['pending', 'active', 'expired'] as const;
export type SilenceStatus = (typeof silenceStatuses)[number];

/** From `starts_at` until before `ends_at`, alerts that all matchers match are not told of. Times are RFC 3339. */
export interface SilenceSpan {
  id: string;
  matchers: Matcher[];
  starts_at: string;
  ends_at: string;
}

/** As it is stored. */
export interface Silence extends SilenceSpan {
  tenant_id: string;
  comment: string;
  /** Who wanted it. */
  author: string;
  /** Who sent it. */
  created_by: string;
  created_at: string;
  updated_at: string;
  version: number;
}

export function silenceStatus({ starts_at, ends_at }: Pick<SilenceSpan, 'starts_at' | 'ends_at'>, now: number): SilenceStatus {
  if (now >= Date.parse(ends_at)) return 'expired';
  return now < Date.parse(starts_at) ? 'pending' : 'active';
}

/** Which silences mute an alert with these labels at `now`, by id. */
export function silencer(silences: readonly SilenceSpan[], now: number): (labels: Labels) => string[] {
  const active = silences.filter((silence) => silenceStatus(silence, now) === 'active');
  return (labels) => active.filter(({ matchers }) => matchesAll(matchers, labels)).map(({ id }) => id);
}
