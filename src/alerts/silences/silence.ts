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

/** As clients see it. */
export interface Silence extends SilenceSpan {
  status: SilenceStatus;
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

/** Why it cannot be a silence, with the field; undefined where it can. */
export function spanProblem(
  { matchers, starts_at, ends_at }: Omit<SilenceSpan, 'id'>,
  { maxDays, now }: { maxDays: number; now: number },
): { field: string; message: string } | undefined {
  if (matchesAll(matchers, {})) {
    // Else one slip of the pen silences everything.
    return { field: 'matchers', message: 'must hold at least one that does not match an absent label, such as severity = info' };
  }
  const length = Date.parse(ends_at) - Date.parse(starts_at);
  if (!(length > 0)) return { field: 'ends_at', message: 'must be after starts_at' };
  if (Date.parse(ends_at) <= now) return { field: 'ends_at', message: 'must be in the future' };
  if (length > maxDays * 86_400_000) {
    return { field: 'ends_at', message: `must be at most ${maxDays} days after starts_at (ALERTS_SILENCE_MAX_DAYS)` };
  }
  return undefined;
}
