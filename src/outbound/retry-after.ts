const maxRetryAfterSeconds = 86_400;

/** Seconds the server asks to wait, 1 to a day; undefined when it does not say, or says nothing of use. */
export function retryAfterSeconds(header: string | string[] | undefined, now = Date.now()): number | undefined {
  const text = [header].flat()[0]?.trim() ?? '';
  // Only real HTTP dates: Date.parse alone reads a date into nearly anything ("-5" is in 2001).
  const seconds = /^\d{1,12}$/.test(text) ? +text : /^[A-Z][a-z]+, .* GMT$/.test(text) ? Math.ceil((Date.parse(text) - now) / 1000) : NaN;
  return seconds > 0 ? Math.min(seconds, maxRetryAfterSeconds) : undefined;
}
