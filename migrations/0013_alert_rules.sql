-- Alert rules, what they know of their series, and who evaluates them.

CREATE TABLE alert_rules (
  tenant_id         text        NOT NULL,
  id                uuid        NOT NULL,
  name              text        NOT NULL,
  kind              text        NOT NULL,
  -- Whether it came with the server.
  origin            text        NOT NULL DEFAULT 'own',
  enabled           boolean     NOT NULL DEFAULT true,
  spec              jsonb       NOT NULL,
  -- Since when it looks at what it looks at now: what is absent is known to be absent only after a while.
  watched_since     timestamptz NOT NULL DEFAULT now(),
  created_by        text        NOT NULL,
  created_at        timestamptz NOT NULL DEFAULT now(),
  updated_at        timestamptz NOT NULL DEFAULT now(),
  version           bigint      NOT NULL DEFAULT 1,
  -- How it went when this version was last evaluated; written when it changes.
  evaluated_version bigint,
  series            integer,
  last_error        text,
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT alert_rules_name UNIQUE (tenant_id, name),
  CONSTRAINT alert_rules_kind CHECK (kind IN ('threshold', 'expectation')),
  CONSTRAINT alert_rules_origin CHECK (origin IN ('default', 'own'))
);

-- Series at rest have no row.
CREATE TABLE alert_rule_states (
  tenant_id text        NOT NULL,
  rule_id   uuid        NOT NULL,
  -- Fingerprint of the series or group.
  series    text        NOT NULL,
  labels    jsonb       NOT NULL,
  state     text        NOT NULL,
  since     timestamptz NOT NULL,
  value     double precision,
  alert_id  uuid,
  PRIMARY KEY (tenant_id, rule_id, series),
  FOREIGN KEY (tenant_id, rule_id) REFERENCES alert_rules ON DELETE CASCADE,
  CONSTRAINT alert_rule_states_state CHECK (state IN ('pending', 'firing', 'recovering')),
  CONSTRAINT alert_rule_states_alert CHECK ((alert_id IS NOT NULL) = (state <> 'pending'))
);

-- Who evaluates: whoever has taken this over last. An earlier leader that comes back writes nothing.
CREATE TABLE alert_evaluation (
  only_row     boolean     PRIMARY KEY DEFAULT true CHECK (only_row),
  owner        uuid,
  evaluated_at timestamptz,
  -- How many of the rules that come with the server have been created.
  defaults     integer     NOT NULL DEFAULT 0
);
INSERT INTO alert_evaluation DEFAULT VALUES;

-- When a series was first sampled: its total was zero then. Nobody knows it of those that are there already.
ALTER TABLE metric_series ADD created_at timestamptz;
ALTER TABLE metric_series ALTER created_at SET DEFAULT now();
