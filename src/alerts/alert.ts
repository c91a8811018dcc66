/** An alert is one raised condition. Domain types; imports nothing. */

export const severities = ['info', 'warning', 'critical'] as const;
export type Severity = (typeof severities)[number];

export const alertStatuses = ['open', 'acknowledged', 'resolved'] as const;
export type AlertStatus = (typeof alertStatuses)[number];

/** What the history of an alert tells. */
export const alertSteps = ['created', 'acknowledged', 'reopened', 'resolved', 'expired', 'flapping'] as const;
export type AlertStep = (typeof alertSteps)[number];

export type Labels = Record<string, string>;

/** As clients see it. Times are RFC 3339. */
export interface Alert {
  id: string;
  tenant_id: string;
  /** Of name and labels: the same condition is the same alert while it lasts. */
  fingerprint: string;
  name: string;
  severity: Severity;
  status: AlertStatus;
  /** Who watches: `api`, or the name of the system that sent it. */
  source: string;
  labels: Labels;
  annotations: Labels;
  runbook_url: string | null;
  value: number | null;
  created_by: string;
  started_at: string;
  expires_at: string | null;
  acknowledged_at: string | null;
  acknowledged_by: string | null;
  acknowledged_until: string | null;
  resolved_at: string | null;
  resolved_by: string | null;
  updated_at: string;
  version: number;
}

/** One line of an alert's history. */
export interface AlertHistoryLine {
  id: number;
  action: AlertStep;
  by: string;
  note: string | null;
  at: string;
}
