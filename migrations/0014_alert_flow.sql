-- How alerts flow to channels: what is to be looked at, groups, silences, and who is told of what.

-- An alert of the tenant has changed. Written in the transaction of the change; whoever dispatches takes all there are and looks once.
CREATE TABLE alert_marks (
  tenant_id text   NOT NULL,
  id        bigint GENERATED ALWAYS AS IDENTITY,
  PRIMARY KEY (tenant_id, id)
);

-- Locked while a tenant's alerts are dispatched. `next_at`: when to look again if nothing happens before.
CREATE TABLE alert_dispatch (
  tenant_id text PRIMARY KEY,
  next_at   timestamptz
);

-- What channels have been told of a group of alerts, and when it is due again: `GroupState`.
CREATE TABLE alert_groups (
  tenant_id text  NOT NULL,
  key       text  NOT NULL,
  state     jsonb NOT NULL,
  PRIMARY KEY (tenant_id, key)
);

CREATE TABLE alert_silences (
  tenant_id  text        NOT NULL,
  id         uuid        NOT NULL,
  matchers   jsonb       NOT NULL,
  starts_at  timestamptz NOT NULL,
  ends_at    timestamptz NOT NULL,
  comment    text        NOT NULL,
  -- Who wanted it, and who sent it.
  author     text        NOT NULL,
  created_by text        NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  version    bigint      NOT NULL DEFAULT 1,
  -- When somebody was warned that it ends.
  warned_at  timestamptz,
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT alert_silences_span CHECK (starts_at <= ends_at)
);
CREATE INDEX alert_silences_by_end ON alert_silences (ends_at);

-- One document a tenant: `Routing`.
CREATE TABLE alert_routes (
  tenant_id  text        PRIMARY KEY,
  routing    jsonb       NOT NULL,
  updated_by text        NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT now(),
  version    bigint      NOT NULL DEFAULT 1
);
