import { Inject, Injectable, Logger } from '@nestjs/common';
import { Leader } from '../../engine/leader.js';
import { Keeper } from '../../engine/loops/keeper.js';
import { SETTINGS, type Settings } from '../../settings.js';
import { LogsStore } from './logs.store.js';

const intervalMs = 600_000;
const batch = 2_000;

/** The leader's duty with the log: what is older than LOGS_RETENTION_HOURS goes. How many lines there are is bounded by whoever stores them. */
@Injectable()
export class LogsKeeper extends Keeper {
  constructor(store: LogsStore, leader: Leader, @Inject(SETTINGS) settings: Settings) {
    super(leader, new Logger('Logs'));
    const run = async () => (await store.prune(settings.LOGS_RETENTION_HOURS, batch)) === batch;
    this.keep([{ name: 'pruner of the log', intervalMs, run }]);
  }
}
