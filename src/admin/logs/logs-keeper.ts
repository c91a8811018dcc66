import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Leader } from '../../engine/leader.js';
import { loopsOf, type Loop } from '../../engine/loops/loop.js';
import { SETTINGS, type Settings } from '../../settings.js';
import { LogsStore } from './logs.store.js';

const intervalMs = 600_000;

/** The leader's duty with the log: what is older than LOGS_RETENTION_HOURS goes. How many lines there are is bounded by whoever stores them. */
@Injectable()
export class LogsKeeper implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly loops: Loop[];

  constructor(store: LogsStore, leader: Leader, @Inject(SETTINGS) settings: Settings) {
    const run = () => store.prune(settings.LOGS_RETENTION_HOURS);
    this.loops = loopsOf([{ name: 'pruner of the log', intervalMs, run }], leader, new Logger('Logs'));
  }

  onApplicationBootstrap(): void {
    for (const loop of this.loops) loop.start();
  }

  async onModuleDestroy(): Promise<void> {
    await Promise.all(this.loops.map((loop) => loop.stop()));
  }
}
