-- Channels, by which people and programs are told of alerts, and what is to be told.

CREATE TABLE alert_channels (
  tenant_id  text        NOT NULL,
  id         uuid        NOT NULL,
  name       text        NOT NULL,
  kind       text        NOT NULL,
  enabled    boolean     NOT NULL DEFAULT true,
  spec       jsonb       NOT NULL,
  created_by text        NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  version    bigint      NOT NULL DEFAULT 1,
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT alert_channels_name UNIQUE (tenant_id, name),
  CONSTRAINT alert_channels_kind CHECK (kind IN ('socket', 'webhook', 'slack', 'email', 'alertmanager'))
);

-- The outbox: written in the transaction of what it tells, sent at least once.
CREATE TABLE alert_notifications (
  tenant_id   text        NOT NULL,
  id          uuid        NOT NULL,
  channel_id  uuid        NOT NULL,
  group_key   text        NOT NULL,
  -- What the channel is told: {status, group_labels, common_labels, common_annotations, alerts[]}.
  content     jsonb       NOT NULL,
  state       text        NOT NULL DEFAULT 'waiting',
  attempts    integer     NOT NULL DEFAULT 0,
  next_at     timestamptz NOT NULL DEFAULT now(),
  -- Why the last attempt failed: a short reason, and a sentence.
  reason      text,
  error       text,
  duration_ms integer,
  created_at  timestamptz NOT NULL DEFAULT now(),
  sent_at     timestamptz,
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT alert_notifications_state CHECK (state IN ('waiting', 'sent', 'failed'))
);
CREATE INDEX alert_notifications_due ON alert_notifications (next_at) WHERE state = 'waiting';
CREATE INDEX alert_notifications_by_channel ON alert_notifications (tenant_id, channel_id, id);
-- What stands before a notification in the line of its channel and group.
CREATE INDEX alert_notifications_line ON alert_notifications (tenant_id, channel_id, group_key, id) WHERE state = 'waiting';
CREATE INDEX alert_notifications_ended ON alert_notifications (created_at) WHERE state <> 'waiting';

-- How attempts ended, ever: rows of notifications go away, and a counter may not.
CREATE TABLE alert_channel_counts (
  tenant_id  text   NOT NULL,
  channel    text   NOT NULL,
  outcome    text   NOT NULL,
  reason     text   NOT NULL,
  count      bigint NOT NULL,
  PRIMARY KEY (tenant_id, channel, outcome, reason)
);
