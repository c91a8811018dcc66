/** Share of the lease after which handlers are told to stop, so that they have stopped when it ends. */
const safeShare = 0.9;

/**
 * Calls `onOverdue` when nothing has renewed the leases for (nearly) as long as they last. Times are monotonic, in milliseconds, and
 * those at which a renewal was sent: when it was acknowledged says nothing of when the server's clock began to run.
 */
export class LeaseClock {
  readonly #onOverdue: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(onOverdue: () => void) {
    this.#onOverdue = onOverdue;
  }

  renew(sentAt: number, leaseMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#onOverdue, Math.max(0, sentAt + leaseMs * safeShare - performance.now()));
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
