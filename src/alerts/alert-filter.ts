import type { EventFilter } from '../events/event-watch.js';
import { isAlertEvent } from '../events/events.js';
import { labelsIn } from '../input/query.js';
import type { Alert } from './alert.js';
import type { AlertFiltersDto } from './alerts.dto.js';

/** The filters of a subscription as a test of one event, judged by the alert as it was at the event. */
export function alertEventFilter(tenantId: string, filters: AlertFiltersDto): EventFilter {
  const { status, severity, source, name, label = [] } = filters;
  const groups = label.map(labelsIn);
  return (event) => {
    if (event.tenant_id !== tenantId || !isAlertEvent(event)) return false;
    const alert = event.data.log as unknown as Alert;
    const has = ([key, value]: [string, string]) => Object.hasOwn(alert.labels, key) && alert.labels[key] === value;
    return (
      (!status || status.includes(alert.status)) &&
      (!severity || severity.includes(alert.severity)) &&
      (!source || source.includes(alert.source)) &&
      (!name || name.includes(alert.name)) &&
      groups.every((alternatives) => alternatives.some(has))
    );
  };
}

/** Equal for equal filters, whatever the order of their values. */
export function alertFilterKey(tenantId: string, { status, severity, source, name, label }: AlertFiltersDto): string {
  return JSON.stringify(['alerts', tenantId, ...[status, severity, source, name, label].map((values) => values?.toSorted() ?? null)]);
}
