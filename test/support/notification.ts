import { randomUUIDv7 } from 'node:crypto';
import type { Alert } from '../../src/alerts/alert.js';
import type { Notification } from '../../src/alerts/channels/channel.js';

/** An alert as a dispatcher hands it on. */
export function anAlert(changes: Partial<Alert> = {}): Alert {
  return {
    id: '0198f3c2-7d1e-7a55-9b5e-3f0c8a1d2e4b',
    fingerprint: 'f00d',
    name: 'Backlog',
    severity: 'warning',
    status: 'open',
    source: 'api',
    tenant_id: 'default',
    labels: { alertname: 'Backlog', severity: 'warning', queue: 'default' },
    annotations: { summary: 'Tasks wait' },
    runbook_url: null,
    value: 12,
    created_by: 'root',
    started_at: '2026-01-01T00:00:00.000Z',
    expires_at: null,
    acknowledged_at: null,
    acknowledged_by: null,
    acknowledged_until: null,
    resolved_at: null,
    resolved_by: null,
    updated_at: '2026-01-01T00:00:00.000Z',
    version: 1,
    ...changes,
  };
}

export function aNotification(alert: Partial<Alert> = {}): Notification {
  const told = anAlert(alert);
  return {
    id: randomUUIDv7(),
    tenant_id: 'default',
    channel: 'ops',
    group_key: 'all:{}',
    content: {
      status: told.status === 'resolved' ? 'resolved' : 'firing',
      group_labels: { alertname: told.name },
      common_labels: told.labels,
      common_annotations: told.annotations,
      alerts: [told],
    },
  };
}
