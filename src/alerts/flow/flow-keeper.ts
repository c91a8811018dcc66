import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Leader } from '../../engine/leader.js';
import { WakeUps } from '../../events/wake-ups.js';
import { SETTINGS, type Settings } from '../../settings.js';
import { DispatchStore } from './dispatch.store.js';
import { Dispatcher } from './dispatcher.js';
import { flappingOf } from './flapping.js';

/** Starts and stops what brings alerts to the outbox. */
@Injectable()
export class FlowKeeper implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger('AlertFlow');
  private readonly dispatcher: Dispatcher;

  constructor(store: DispatchStore, leader: Leader, wakeUps: WakeUps, @Inject(SETTINGS) settings: Settings) {
    this.dispatcher = new Dispatcher(
      store,
      leader,
      wakeUps,
      () => flappingOf(settings),
      (error) => this.logger.warn(`Alerts could not be dispatched; it is tried again: ${error.message}`),
    );
  }

  onApplicationBootstrap(): void {
    this.dispatcher.start();
  }

  async onModuleDestroy(): Promise<void> {
    await this.dispatcher.stop();
  }
}
