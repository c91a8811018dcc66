import { Injectable } from '@nestjs/common';
import { EventLog } from '../events/event-log.js';
import { toAlertEventView } from '../events/events.js';
import { EventSubscriptions } from '../transport/event-subscriptions.js';

/** Who hears which events of alerts. */
@Injectable()
export class AlertSubscriptions extends EventSubscriptions {
  constructor(eventLog: EventLog) {
    super(eventLog, toAlertEventView);
  }
}
