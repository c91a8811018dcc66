import type { Leader } from '../../engine/leader.js';
import type { WakeUps } from '../../events/wake-ups.js';
import { dispatch } from './dispatch.js';
import type { DispatchStore } from './dispatch.store.js';
import type { Flapping } from './flapping.js';

/** Wake-ups are hints. */
const pollMs = 12_000;
/** How soon a new leader notices that it is one. */
const followerMs = 2_000;
/** In a storm of alerts, a look is followed by a pause of some times its length, so that it takes a third of a core while there are thousands of them. */
const pauseFactor = 2;
const maxPauseMs = 300;
const retryMs = 2_000;

/** The leader's duty to look, whenever alerts have changed or something is due, at who is to be told. */
export class Dispatcher {
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> | undefined;
  private again = false;
  private stopped = false;
  private unsubscribe: (() => void) | undefined;

  constructor(
    private readonly store: DispatchStore,
    private readonly leader: Pick<Leader, 'isLeader'>,
    private readonly wakeUps: WakeUps,
    private readonly flapping: () => Flapping,
    private readonly onError: (error: Error) => void,
  ) {}

  start(): void {
    this.unsubscribe = this.wakeUps.on('alert_dispatch', () => this.wake());
    this.wake();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.unsubscribe?.();
    clearTimeout(this.timer);
    await this.looking;
  }

  private wake(): void {
    this.again = true;
    if (this.looking || this.stopped) return;
    clearTimeout(this.timer);
    this.again = false;
    this.looking = this.turn()
      .catch((error: unknown) => {
        this.onError(error as Error);
        return retryMs;
      })
      .then((waitMs) => {
        this.looking = undefined;
        // Somebody may have called after the last look.
        if (!this.stopped) this.timer = setTimeout(() => this.wake(), this.again ? 0 : waitMs);
      });
  }

  /** Answers how long to wait for the next one. */
  private async turn(): Promise<number> {
    if (!this.leader.isLeader) return followerMs;
    const begun = performance.now();
    const { tenants, wait_ms } = await this.store.due();
    if (tenants.length === 0) return Math.min(wait_ms === null ? Infinity : wait_ms + 2, pollMs * (0.75 + Math.random() / 2));
    let failed = false;
    for (const tenant of tenants) {
      if (this.stopped) return 0;
      failed = !(await this.look(tenant)) || failed;
    }
    const pauseMs = Math.min(maxPauseMs, (performance.now() - begun) * pauseFactor);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    // What failed stays due.
    return failed ? retryMs : 0;
  }

  private async look(tenant: string): Promise<boolean> {
    try {
      if (await this.store.look(tenant, this.flapping(), dispatch)) this.wakeUps.signal('alert_notifications');
      return true;
    } catch (error) {
      this.onError(error as Error);
      return false;
    }
  }
}
