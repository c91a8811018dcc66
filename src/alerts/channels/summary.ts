import type { Alert, Labels } from '../alert.js';
import type { NotificationContent } from './channel.js';

/** The words that people read in chat and mail. */

const maxListed = 20;

/** `[FIRING 2] TaskQueueBacklog (queue=default)`. */
export function title({ status, group_labels, common_labels, alerts }: NotificationContent): string {
  const active = alerts.filter((alert) => alert.status !== 'resolved').length;
  const count = status === 'firing' ? ` ${active}` : '';
  const name = group_labels['alertname'] ?? common_labels['alertname'] ?? alerts[0]?.name ?? 'Alerts';
  const rest = Object.entries(group_labels).filter(([key]) => key !== 'alertname');
  return `[${status.toUpperCase()}${count}] ${name}${rest.length ? ` (${inline(Object.fromEntries(rest))})` : ''}`;
}

/** One paragraph for each alert; what is beyond the first twenty is counted. */
export function lines({ alerts }: NotificationContent): string[] {
  const listed = alerts.slice(0, maxListed).map(line);
  return alerts.length > maxListed ? [...listed, `… and ${alerts.length - maxListed} more`] : listed;
}

function line({ name, severity, status, labels, annotations, started_at, runbook_url }: Alert): string {
  const said = annotations['summary'] ?? annotations['description'] ?? '';
  const head = `${status === 'resolved' ? 'resolved' : severity}: ${name}${said && ` - ${said}`}`;
  return [head, inline(labels), `since ${started_at}`, ...(runbook_url ? [runbook_url] : [])].filter(Boolean).join('\n');
}

function inline(labels: Labels): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(', ');
}
