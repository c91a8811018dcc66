/** After this share of a lease without an answer, the stream is given up: there is still time for another one. */
const patientShare = 1 / 3;
/** What handlers say of their progress is told at most this often, in milliseconds. */
const reportMs = 1_000;

/** What beats need of the stream. */
export interface BeatSender {
  /** A beat is to be sent. */
  due(): void;
  /** One was not answered in time. */
  unanswered(): void;
}

/**
 * When to send a sign of life: every heartbeat, a second after a handler said something, and at once when asked. There is never more
 * than one that is not answered: a beat lists all that runs, so two on their way could both miss a task that is on its way to us, and
 * the server takes back what is missing twice.
 */
export class Beats {
  readonly #sender: BeatSender;
  readonly #leaseMs: number;
  readonly #heartbeat: NodeJS.Timeout;
  #report: NodeJS.Timeout | undefined;
  #silence: NodeJS.Timeout | undefined;
  #sentAt: number | undefined;
  #due = true;

  constructor(sender: BeatSender, heartbeatMs: number, leaseMs: number) {
    this.#sender = sender;
    this.#leaseMs = leaseMs;
    this.#heartbeat = setInterval(() => this.want(), heartbeatMs);
  }

  /** Whether one is wanted and may be sent. */
  get isDue(): boolean {
    return this.#due && this.#sentAt === undefined;
  }

  /** One is wanted now; when another is not answered yet, right after it. */
  want(): void {
    this.#due = true;
    if (this.isDue) this.#sender.due();
  }

  /** One is wanted within a second. */
  wantSoon(): void {
    this.#report ??= setTimeout(() => this.want(), reportMs);
  }

  /** One is being sent. */
  sent(): void {
    this.#due = false;
    this.#sentAt = performance.now();
    clearTimeout(this.#report);
    this.#report = undefined;
    this.#silence = setTimeout(() => this.#sender.unanswered(), this.#leaseMs * patientShare);
  }

  /** It was answered; when it was sent, by the monotonic clock in milliseconds. */
  answered(): number | undefined {
    const sentAt = this.#sentAt;
    clearTimeout(this.#silence);
    this.#sentAt = undefined;
    if (this.#due) this.#sender.due();
    return sentAt;
  }

  stop(): void {
    clearInterval(this.#heartbeat);
    clearTimeout(this.#report);
    clearTimeout(this.#silence);
  }
}
