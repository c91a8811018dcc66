import { Injectable, Logger } from '@nestjs/common';
import { goneAfterSeconds } from '../../config/config.store.js';
import { Leader } from '../../engine/leader.js';
import { Keeper } from '../../engine/loops/keeper.js';
import type { Duty } from '../../engine/loops/loop.js';
import { WakeUps } from '../../events/wake-ups.js';
import { ActionsStore } from './actions.store.js';

/** A hint comes with every action, too. */
const sweepMs = 60_000;
const pruneMs = 600_000;
const fileSeconds = 3_600;
const keptDays = 90;

/** The leader's duties with actions: ends what dead replicas have left, and lets old files and runs go. */
@Injectable()
export class ActionsKeeper extends Keeper {
  private unsubscribe: (() => void) | undefined;
  private sweeping: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly store: ActionsStore,
    leader: Leader,
    private readonly wakeUps: WakeUps,
  ) {
    super(leader, new Logger('Actions'));
    const once = (work: () => Promise<void>) => async () => {
      await work();
      return false;
    };
    const duties: Duty[] = [
      { name: 'keeper of admin actions', intervalMs: sweepMs, run: once(() => this.failGone()) },
      { name: 'pruner of admin actions', intervalMs: pruneMs, run: once(() => store.prune(fileSeconds, keptDays)) },
    ];
    this.keep(duties);
  }

  override onApplicationBootstrap(): void {
    super.onApplicationBootstrap();
    // Whoever has something done sees at once that a replica is gone that had something to do.
    this.unsubscribe = this.wakeUps.on('admin_actions', () => {
      if (this.leader.isLeader) this.sweeping = this.failGone().catch(() => undefined);
    });
  }

  override async onModuleDestroy(): Promise<void> {
    this.unsubscribe?.();
    await Promise.all([super.onModuleDestroy(), this.sweeping]);
  }

  private async failGone(): Promise<void> {
    const failed = await this.store.failGone(goneAfterSeconds);
    const settled = await this.store.settleParents();
    if (failed + settled > 0) this.wakeUps.signal('events');
  }
}
