import { toEventView, type TaskEventView } from '../events/events.js';
import type { Watched } from '../events/event-watch.js';
import type { Page } from '../input/page.js';
import { JsonValue } from '../transport/grpc/json-messages.js';
import type { Json, Task } from './task.js';
import type { LogView } from './tasks.store.js';

/*
 * Views as gRPC messages. They have the same names; null means absent there, so all there is to do is to mark free JSON.
 */

function optional(json: Json | undefined): JsonValue | undefined {
  return json === null || json === undefined ? undefined : new JsonValue(json);
}

export function taskMessage(task: Task): object {
  return { ...task, result: optional(task.result) };
}

export function logMessage(line: LogView): object {
  return { ...line, data: optional(line.data) };
}

export function eventMessage({ log, ...event }: TaskEventView): object {
  return { ...event, ...(log && { log: { ...log, data: optional(log.data) } }) };
}

export function historyMessage<Item>({ items, next_cursor }: Page<Item, number>, toMessage: (item: Item) => object): object {
  return { items: items.map(toMessage), next_cursor };
}

export function watchMessage(watched: Watched): object {
  return 'event' in watched ? { event: eventMessage(toEventView(watched.event)) } : watched;
}
