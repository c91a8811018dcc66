import { Injectable } from '@nestjs/common';
import { EventLog } from '../events/event-log.js';
import { toConfigEventView } from '../events/events.js';
import { EventSubscriptions } from '../transport/event-subscriptions.js';

/** Who hears of changes of the configuration. */
@Injectable()
export class ConfigSubscriptions extends EventSubscriptions {
  constructor(eventLog: EventLog) {
    super(eventLog, toConfigEventView);
  }
}
