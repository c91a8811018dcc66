import { Inject, Injectable, Logger } from '@nestjs/common';
import { AlertRaiser } from '../alerts/alert-raiser.js';
import { Leader } from '../engine/leader.js';
import { Keeper } from '../engine/loops/keeper.js';
import type { Duty } from '../engine/loops/loop.js';
import { WakeUps } from '../events/wake-ups.js';
import { REPLICA_ID } from '../workers/workers.tokens.js';
import { configClock } from './config-clock.js';
import { ConfigSync } from './config-sync.js';
import { ConfigStore } from './config.store.js';

const pruneMs = 600_000;
/** An alert of a file that is broken is repeated for as long as it is; unrepeated it ends. */
const raiseMs = 60_000;

/** The leader's duties with the configuration, and on every replica the alert of an edit of `.env` that is not valid. */
@Injectable()
export class ConfigKeeper extends Keeper {
  private timer: NodeJS.Timeout | undefined;

  constructor(
    store: ConfigStore,
    private readonly sync: ConfigSync,
    private readonly raiser: AlertRaiser,
    leader: Leader,
    wakeUps: WakeUps,
    @Inject(REPLICA_ID) private readonly replicaId: string,
  ) {
    super(leader, new Logger('Config'));
    const prune = async () => {
      await store.prune();
      return false;
    };
    const duties: Duty[] = [configClock(store, sync, wakeUps), { name: 'pruner of the configuration', intervalMs: pruneMs, run: prune }];
    this.keep(duties);
  }

  override onApplicationBootstrap(): void {
    super.onApplicationBootstrap();
    this.sync.onFileProblem = () => this.raise();
    this.timer = setInterval(() => this.raise(), raiseMs).unref();
  }

  override async onModuleDestroy(): Promise<void> {
    clearInterval(this.timer);
    this.sync.onFileProblem = () => undefined;
    await super.onModuleDestroy();
  }

  private raise(): void {
    const { fileProblem } = this.sync;
    if (!fileProblem) return;
    this.raiser
      .raise({
        tenant_id: 'default',
        name: 'ConfigFileBroken',
        severity: 'warning',
        source: 'config',
        labels: { replica: this.replicaId },
        annotations: { summary: fileProblem.summary.slice(0, 255) },
      })
      .catch((error: Error) => this.logger.warn(`The alert ConfigFileBroken could not be raised: ${error.message}`));
  }
}
