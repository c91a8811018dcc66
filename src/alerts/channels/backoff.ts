const firstSeconds = 2;
const maxSeconds = 3_600;

/** A notification that could not be sent for so long is given up. */
export const giveUpAfterSeconds = 86_400;

/**
 * Seconds until the next attempt: doubled each time up to an hour, between half and all of it by chance, so that what failed together does not
 * come back together; at least what the receiver asked for.
 */
export function backoffSeconds(attempts: number, retryAfterSeconds = 0, random = Math.random): number {
  const full = Math.min(maxSeconds, firstSeconds * 2 ** Math.min(attempts - 1, 20));
  return Math.max(retryAfterSeconds, full * (0.5 + random() / 2));
}
