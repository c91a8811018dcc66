import { Injectable } from '@nestjs/common';
import { EventLog } from '../../events/event-log.js';
import { toAdminActionEventView } from '../../events/events.js';
import { EventSubscriptions } from '../../transport/event-subscriptions.js';

/** Who hears of runs of actions as they go on. */
@Injectable()
export class ActionSubscriptions extends EventSubscriptions {
  constructor(eventLog: EventLog) {
    super(eventLog, toAdminActionEventView);
  }
}
