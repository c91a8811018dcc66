-- Alerts: raised conditions, with their history. Their events are in the one event log: `task_id` is then the alert's id, and `log` the alert.

CREATE TABLE alerts (
  tenant_id          text        NOT NULL,
  id                 uuid        NOT NULL,
  -- Of name and labels: the same condition is the same alert while it lasts.
  fingerprint        text        NOT NULL,
  name               text        NOT NULL,
  severity           text        NOT NULL,
  status             text        NOT NULL DEFAULT 'open',
  source             text        NOT NULL,
  labels             jsonb       NOT NULL,
  annotations        jsonb       NOT NULL,
  runbook_url        text,
  value              double precision,
  created_by         text        NOT NULL,
  started_at         timestamptz NOT NULL DEFAULT now(),
  -- An alert that nobody repeats ends by itself.
  expires_at         timestamptz,
  acknowledged_at    timestamptz,
  acknowledged_by    text,
  -- An acknowledgement that times out leaves the alert open again.
  acknowledged_until timestamptz,
  resolved_at        timestamptz,
  resolved_by        text,
  updated_at         timestamptz NOT NULL DEFAULT now(),
  version            bigint      NOT NULL DEFAULT 1,
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT alerts_severity CHECK (severity IN ('info', 'warning', 'critical')),
  CONSTRAINT alerts_status CHECK (status IN ('open', 'acknowledged', 'resolved')),
  CONSTRAINT alerts_resolved_has_time CHECK ((status = 'resolved') = (resolved_at IS NOT NULL)),
  CONSTRAINT alerts_acknowledged_has_time CHECK (status <> 'acknowledged' OR acknowledged_at IS NOT NULL)
);
CREATE UNIQUE INDEX alerts_active ON alerts (tenant_id, fingerprint) WHERE status <> 'resolved';
CREATE INDEX alerts_by_end ON alerts (resolved_at) WHERE status = 'resolved';

CREATE TABLE alert_history (
  tenant_id text        NOT NULL,
  alert_id  uuid        NOT NULL,
  id        bigint      GENERATED ALWAYS AS IDENTITY,
  action    text        NOT NULL,
  by        text        NOT NULL,
  note      text,
  at        timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, alert_id, id)
);
