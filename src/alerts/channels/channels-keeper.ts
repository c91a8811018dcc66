import { Inject, Injectable, Logger, Optional } from '@nestjs/common';
import { AlertRaiser } from '../alert-raiser.js';
import { Leader } from '../../engine/leader.js';
import { Keeper } from '../../engine/loops/keeper.js';
import { WakeUps } from '../../events/wake-ups.js';
import { SETTINGS, type Settings } from '../../settings.js';
import { Outbox } from './outbox.js';
import { OutboxStore } from './outbox.store.js';
import { Senders } from './senders.js';
import { deliveryWatchdog, heartbeat, notificationPruner } from './watchdog.js';

/** Starts and stops what sends, and the duties around it. */
@Injectable()
export class ChannelsKeeper extends Keeper {
  private readonly outbox: Outbox;

  constructor(
    store: OutboxStore,
    senders: Senders,
    wakeUps: WakeUps,
    leader: Leader,
    @Inject(SETTINGS) settings: Settings,
    @Optional() raiser?: AlertRaiser,
  ) {
    super(leader, new Logger('AlertChannels'));
    this.outbox = new Outbox(store, senders, wakeUps, (error) =>
      this.logger.warn(`The alert outbox failed; it is tried again: ${error.message}`),
    );
    const { ALERTS_WATCHDOG_CHANNEL: channel, ALERTS_WATCHDOG_SECONDS: seconds } = settings;
    const duties = [
      notificationPruner(store),
      ...(raiser ? [deliveryWatchdog(store, raiser)] : []),
      ...(channel ? [heartbeat(store, () => wakeUps.signal('alert_notifications'), channel, seconds)] : []),
    ];
    this.keep(duties);
  }

  override onApplicationBootstrap(): void {
    this.outbox.start();
    super.onApplicationBootstrap();
  }

  override async onModuleDestroy(): Promise<void> {
    await Promise.all([this.outbox.stop(), super.onModuleDestroy()]);
  }
}
