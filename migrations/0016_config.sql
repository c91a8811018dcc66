-- Settings that were changed at run time: one row a version, with everything that is overridden from then on.

CREATE TABLE config_versions (
  version        bigint      PRIMARY KEY,
  -- Key → {from, to}: `Override` or null on either side.
  changes        jsonb       NOT NULL,
  -- Key → `Override`: all that holds with this version.
  overrides      jsonb       NOT NULL,
  reason         text,
  by             text        NOT NULL,
  at             timestamptz NOT NULL DEFAULT now(),
  -- A time-boxed change ends then: the leader makes the version that takes it back.
  expires_at     timestamptz,
  reverted_from  bigint,
  rolled_back_to bigint,
  CONSTRAINT config_versions_positive CHECK (version > 0)
);

-- Replicas that run, by their last sign of life, and which versions they have taken on since when.
CREATE TABLE config_replicas (
  replica_id text        PRIMARY KEY,
  seen_at    timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE config_acknowledgements (
  replica_id   text        NOT NULL REFERENCES config_replicas ON DELETE CASCADE,
  version      bigint      NOT NULL,
  at           timestamptz NOT NULL DEFAULT now(),
  -- Keys that wait for the next start of the replica, and those that its own environment does not allow.
  restart_keys text[]      NOT NULL,
  refused_keys text[]      NOT NULL,
  PRIMARY KEY (replica_id, version)
);
