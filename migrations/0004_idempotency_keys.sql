-- The first answer to each Idempotency-Key, kept for a while.

CREATE TABLE idempotency_keys (
  tenant_id    text        NOT NULL,
  key          text        NOT NULL,
  -- SHA-256 of operation and body: the same key with another body is a mistake of the caller.
  request_hash bytea       NOT NULL,
  response     jsonb,
  created_at   timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, key)
);

CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
