import type { Alert } from '../alert.js';
import type { AlertmanagerSpec, Send } from './channel.js';
import { deliver, type Reach } from './http-delivery.js';

/** Longer than our own repetitions are apart by default: an alert that is never repeated ends there by itself. */
const activeForMs = 6 * 3_600_000;

/** Hands the alerts to an Alertmanager, which does its own grouping and routing. */
export function alertmanager(reach: Reach, now = Date.now): Send<AlertmanagerSpec> {
  return async ({ content }, { url, bearer_token }, signal) => {
    const headers = {
      'content-type': 'application/json',
      ...(bearer_token !== undefined && { authorization: `Bearer ${bearer_token}` }),
    };
    const body = JSON.stringify(content.alerts.map((alert) => postedAlert(alert, now())));
    await deliver(`${url.replace(/\/+$/, '')}/api/v2/alerts`, headers, body, { ...reach, signal });
  };
}

/** The alert as Alertmanager takes it. */
export function postedAlert(alert: Alert, now: number): object {
  const { name, severity, labels, annotations, started_at, resolved_at, runbook_url } = alert;
  return {
    labels: legalNames({ ...labels, alertname: name, severity }),
    annotations: legalNames({ ...annotations, ...(runbook_url && { runbook_url }) }),
    startsAt: started_at,
    endsAt: resolved_at ?? new Date(now + activeForMs).toISOString(),
  };
}

/** Our keys may hold `.`, `/` and `-`; those of older Alertmanagers may not, nor may a value be empty. */
function legalNames(labels: Record<string, string>): Record<string, string> {
  const entries = Object.entries(labels).filter(([, value]) => value !== '');
  return Object.fromEntries(entries.map(([key, value]) => [key.replace(/[^A-Za-z0-9_]/g, '_').replace(/^(?=\d)/, '_'), value]));
}
