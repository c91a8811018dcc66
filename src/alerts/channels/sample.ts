import type { Alert } from '../alert.js';
import type { NotificationContent } from './channel.js';

const labels = { alertname: 'TestNotification', severity: 'info' };
const annotations = { summary: 'This is a test: somebody asked whether this channel works.' };

/** A notification that tells nothing but that it came: for the test of a channel, and for that of a template. */
export function sampleContent(at: string, by: string): NotificationContent {
  const alert: Alert = {
    id: '00000000-0000-7000-8000-000000000000',
    fingerprint: 'test',
    name: 'TestNotification',
    severity: 'info',
    status: 'open',
    source: 'test',
    tenant_id: 'default',
    labels,
    annotations,
    runbook_url: null,
    value: null,
    created_by: by,
    started_at: at,
    expires_at: null,
    acknowledged_at: null,
    acknowledged_by: null,
    acknowledged_until: null,
    resolved_at: null,
    resolved_by: null,
    updated_at: at,
    version: 1,
  };
  const group_labels = { alertname: 'TestNotification' };
  return { status: 'firing', group_labels, common_labels: labels, common_annotations: annotations, alerts: [alert] };
}

export const anAlertSample = { id: 'test', channel: 'test', group_key: 'test', ...sampleContent('2026-01-01T00:00:00.000Z', 'test') };
