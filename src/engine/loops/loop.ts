import type { Leader } from '../leader.js';

export interface Duty {
  name: string;
  /** Milliseconds between two runs while there is nothing to do; each draw varies by a quarter. */
  intervalMs: number;
  /** One bounded batch. True when there is more to do at once. */
  run(): Promise<boolean>;
}

/** A run that takes longer is given up on; the loop goes on. */
const deadlineMs = 60_000;

/**
 * The one shape of background work: leader? → one bounded batch → report → reschedule.
 * A failing or hanging run never ends the loop.
 */
export class Loop {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private stopped = true;
  /** When a run last succeeded (milliseconds since the epoch). */
  lastSuccessAt: number | undefined;

  constructor(
    private readonly duty: Duty,
    private readonly leader: Leader,
    private readonly onError: (duty: string, error: Error) => void,
  ) {}

  get name(): string {
    return this.duty.name;
  }

  start(): void {
    this.stopped = false;
    this.schedule(0);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.running;
  }

  private schedule(delayMs: number): void {
    this.timer = setTimeout(() => {
      this.running = this.turn().then((more) => {
        if (!this.stopped) this.schedule(more ? 0 : this.duty.intervalMs * (0.75 + Math.random() / 2));
      });
    }, delayMs);
  }

  private async turn(): Promise<boolean> {
    if (!this.leader.isLeader) return false;
    let timeout: NodeJS.Timeout | undefined;
    try {
      const deadline = new Promise<never>((_, reject) => {
        timeout = setTimeout(() => reject(new Error(`gave up after ${deadlineMs / 1000} s`)), deadlineMs);
      });
      const more = await Promise.race([this.duty.run(), deadline]);
      this.lastSuccessAt = Date.now();
      return more;
    } catch (error) {
      this.onError(this.duty.name, error as Error);
      return false;
    } finally {
      clearTimeout(timeout);
    }
  }
}
