import { isAlertEvent, isConfigEvent, type LogEvent } from '../events/events.js';
import type { EventFilter } from '../events/event-watch.js';
import { labelsIn } from '../input/query.js';
import type { SubscribeMessage } from './tasks.messages.js';

/** The filters of a subscription as a test of one event, judged by the task as it was at the event. */
export function eventFilter(tenantId: string, filters: SubscribeMessage): EventFilter {
  const tests: EventFilter[] = [(event) => event.tenant_id === tenantId && !isAlertEvent(event) && !isConfigEvent(event)];
  const anyOf = <T>(values: T[] | undefined, read: (event: LogEvent) => T | undefined) => {
    if (!values) return;
    const accepted = new Set(values);
    tests.push((event) => accepted.has(read(event) as T));
  };
  anyOf(
    filters.id?.map((id) => id.toLowerCase()),
    (event) => event.task_id,
  );
  anyOf(filters.status, (event) => event.data.status);
  anyOf(filters.type, (event) => event.data.type);
  anyOf(filters.queue, (event) => event.data.queue);
  anyOf(filters.priority, (event) => event.data.priority);
  anyOf(filters.name, (event) => event.data.name);
  for (const group of filters.label ?? []) {
    const alternatives = labelsIn(group);
    // Labels are JSON of others: a key may be that of an inherited member, such as "constructor".
    tests.push(({ data: { labels = {} } }) => alternatives.some(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value));
  }
  return (event) => tests.every((test) => test(event));
}

/** Equal for equal filters, whatever the order of their values: subscribers with the same key share one room. */
export function filterKey(tenantId: string, filters: SubscribeMessage): string {
  const { id, status, type, queue, priority, name, label } = filters;
  return JSON.stringify([tenantId, ...[id, status, type, queue, priority, name, label].map((values) => values?.toSorted() ?? null)]);
}
