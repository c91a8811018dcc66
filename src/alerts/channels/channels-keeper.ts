import { Inject, Injectable, Logger, Optional, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { AlertRaiser } from '../alert-raiser.js';
import { Leader } from '../../engine/leader.js';
import { loopsOf, type Loop } from '../../engine/loops/loop.js';
import { WakeUps } from '../../events/wake-ups.js';
import { SETTINGS, type Settings } from '../../settings.js';
import { Outbox } from './outbox.js';
import { OutboxStore } from './outbox.store.js';
import { Senders } from './senders.js';
import { deliveryWatchdog, heartbeat, notificationPruner } from './watchdog.js';

/** Starts and stops what sends, and the duties around it. */
@Injectable()
export class ChannelsKeeper implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger('AlertChannels');
  private readonly outbox: Outbox;
  private readonly loops: Loop[];

  constructor(
    store: OutboxStore,
    senders: Senders,
    wakeUps: WakeUps,
    leader: Leader,
    @Inject(SETTINGS) settings: Settings,
    @Optional() raiser?: AlertRaiser,
  ) {
    this.outbox = new Outbox(store, senders, wakeUps, (error) =>
      this.logger.warn(`The alert outbox failed; it is tried again: ${error.message}`),
    );
    const { ALERTS_WATCHDOG_CHANNEL: channel, ALERTS_WATCHDOG_SECONDS: seconds } = settings;
    const duties = [
      notificationPruner(store),
      ...(raiser ? [deliveryWatchdog(store, raiser)] : []),
      ...(channel ? [heartbeat(store, () => wakeUps.signal('alert_notifications'), channel, seconds)] : []),
    ];
    this.loops = loopsOf(duties, leader, this.logger);
  }

  onApplicationBootstrap(): void {
    this.outbox.start();
    for (const loop of this.loops) loop.start();
  }

  async onModuleDestroy(): Promise<void> {
    await Promise.all([this.outbox.stop(), ...this.loops.map((loop) => loop.stop())]);
  }
}
