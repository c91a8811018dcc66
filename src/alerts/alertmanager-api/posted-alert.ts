import { randomUUIDv7 } from 'node:crypto';
import type { Severity } from '../alert.js';
import type { NewAlert } from '../alerts.store.js';
import { fingerprint } from '../fingerprint.js';
import type { PostedAlert } from './read.js';

/** The annotation in which the link to the expression is kept. */
export const generatorUrl = 'generator_url';

/** As Alertmanager's `resolve_timeout`: an alert without an end ends when nobody repeats it for so long. */
const resolveSeconds = 300;

/** What users of Prometheus call severities; everything else is a warning. */
const severities: Record<string, Severity> = {
  critical: 'critical',
  error: 'critical',
  page: 'critical',
  info: 'info',
  none: 'info',
};

/** All its labels tell it from others, so the severity stays among them. */
export function identityOf({ alertname, ...labels }: PostedAlert['labels']): string {
  return fingerprint(alertname!, labels);
}

/** An alert that is still active at `now` (milliseconds). */
export function toNewAlert(tenant_id: string, created_by: string, posted: PostedAlert, now: number): NewAlert {
  const { alertname, ...labels } = posted.labels;
  const { runbook_url = null, ...annotations } = posted.annotations;
  return {
    tenant_id,
    id: randomUUIDv7(),
    fingerprint: identityOf(posted.labels),
    name: alertname!,
    severity: Object.hasOwn(severities, labels['severity'] ?? '') ? severities[labels['severity']!]! : 'warning',
    source: 'alertmanager-api',
    labels,
    annotations: { ...annotations, ...(posted.generatorURL && { [generatorUrl]: posted.generatorURL }) },
    runbook_url,
    value: null,
    created_by,
    started_at: posted.startsAt && Date.parse(posted.startsAt) < now ? posted.startsAt : null,
    expires_in_seconds: posted.endsAt ? (Date.parse(posted.endsAt) - now) / 1_000 : resolveSeconds,
  };
}
