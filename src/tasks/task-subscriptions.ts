import { Injectable } from '@nestjs/common';
import { EventLog } from '../events/event-log.js';
import { toEventView } from '../events/events.js';
import { EventSubscriptions } from '../transport/event-subscriptions.js';

/** Who hears which events of tasks. */
@Injectable()
export class TaskSubscriptions extends EventSubscriptions {
  constructor(eventLog: EventLog) {
    super(eventLog, toEventView);
  }
}
