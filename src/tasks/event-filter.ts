import type { TaskEvent } from '../events/events.js';
import { labelsOf } from './task-filters.dto.js';
import type { SubscribeMessage } from './tasks.messages.js';

export type EventFilter = (event: TaskEvent) => boolean;

/** The filters of a subscription as a test of one event, judged by the task as it was at the event. */
export function eventFilter(tenantId: string, filters: SubscribeMessage): EventFilter {
  const tests: EventFilter[] = [(event) => event.tenant_id === tenantId];
  const anyOf = <T>(values: T[] | undefined, read: (event: TaskEvent) => T | undefined) => {
    if (!values) return;
    const accepted = new Set(values);
    tests.push((event) => accepted.has(read(event) as T));
  };
  anyOf(filters.id, (event) => event.task_id);
  anyOf(filters.status, (event) => event.data.status);
  anyOf(filters.type, (event) => event.data.type);
  anyOf(filters.queue, (event) => event.data.queue);
  anyOf(filters.priority, (event) => event.data.priority);
  anyOf(filters.name, (event) => event.data.name);
  if (filters.label) {
    const labels = Object.entries(labelsOf(filters));
    tests.push((event) => labels.every(([key, value]) => event.data.labels?.[key] === value));
  }
  return (event) => tests.every((test) => test(event));
}

/** Equal for equal filters, whatever the order of their values: subscribers with the same key share one room. */
export function filterKey(tenantId: string, filters: SubscribeMessage): string {
  const { id, status, type, queue, priority, name, label } = filters;
  return JSON.stringify([tenantId, ...[id, status, type, queue, priority, name, label].map((values) => values?.toSorted() ?? null)]);
}
