import { Inject, Injectable, Logger } from '@nestjs/common';
import { Leader } from '../engine/leader.js';
import { Keeper } from '../engine/loops/keeper.js';
import { WakeUps } from '../events/wake-ups.js';
import { SETTINGS, type Settings } from '../settings.js';
import { AlertsStore } from './alerts.store.js';

const batch = 500;
/** What ends or opens again by the clock does so this much later at most. */
const sweepMs = 10_000;
const pruneMs = 60_000;

/** The leader's duties with alerts: what has expired ends, what was acknowledged for long enough is open again, what is old leaves. */
@Injectable()
export class AlertsKeeper extends Keeper {
  constructor(
    @Inject(SETTINGS) settings: Settings,
    leader: Leader,
    private readonly store: AlertsStore,
    private readonly wakeUps: WakeUps,
  ) {
    super(leader, new Logger('Alerts'));
    const duties = [
      { name: 'alert sweeper', intervalMs: sweepMs, run: () => this.sweep() },
      { name: 'alert pruner', intervalMs: pruneMs, run: async () => (await store.prune(settings.ALERTS_RETENTION_DAYS, batch)) === batch },
    ];
    this.keep(duties);
  }

  private async sweep(): Promise<boolean> {
    const changed = await this.store.sweep(batch);
    if (changed) this.wakeUps.signal('events', 'alert_dispatch');
    return changed === batch;
  }
}
