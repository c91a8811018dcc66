const shortestMs = 200;
const longestMs = 10_000;

/** How long to wait before the next try: doubles from 0.2 s to 10 s, and is random by half, so that many do not come at once. */
export class Backoff {
  #failures = 0;

  /** Milliseconds to wait after one more failure. */
  next(): number {
    const most = Math.min(longestMs, shortestMs * 2 ** (this.#failures + 1));
    this.#failures = Math.min(this.#failures + 1, 10);
    return most / 2 + (Math.random() * most) / 2;
  }

  /** The next wait is the shortest again. */
  reset(): void {
    this.#failures = 0;
  }
}

/** Waits; shorter when the signal is aborted. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done);
  });
}
