-- What admins have had the server do, and the root tokens there are.

CREATE TABLE admin_actions (
  id               uuid        PRIMARY KEY,
  action           text        NOT NULL,
  parameters       jsonb       NOT NULL,
  dry_run          boolean     NOT NULL,
  status           text        NOT NULL,
  -- Of an action that every replica does: the run that each of these belongs to.
  parent_id        uuid        REFERENCES admin_actions ON DELETE CASCADE,
  -- Who is to do it; null: each of its parts has a replica of its own.
  replica_id       text,
  created_by       text        NOT NULL,
  request_id       text,
  created_at       timestamptz NOT NULL DEFAULT now(),
  started_at       timestamptz,
  finished_at      timestamptz,
  progress         real        NOT NULL DEFAULT 0,
  progress_message text,
  result           jsonb,
  error            jsonb,
  -- Of a dry run: the SHA-256 of the token that confirms it, and when it did.
  confirm_digest   bytea       UNIQUE,
  confirmed_at     timestamptz,
  -- What can be downloaded.
  file_name        text,
  file_bytes       bigint,
  CONSTRAINT admin_actions_status CHECK (status IN ('queued', 'running', 'completed', 'failed')),
  CONSTRAINT admin_actions_finished_iff_over CHECK ((finished_at IS NOT NULL) = (status IN ('completed', 'failed'))),
  CONSTRAINT admin_actions_failed_has_error CHECK ((error IS NOT NULL) = (status = 'failed'))
);

-- Those that somebody has to look after.
CREATE INDEX admin_actions_open ON admin_actions (replica_id) WHERE status IN ('queued', 'running');
CREATE INDEX admin_actions_by_parent ON admin_actions (parent_id) WHERE parent_id IS NOT NULL;

-- In pieces, so that no statement carries more than one of them.
CREATE TABLE admin_action_pieces (
  run_id   uuid    NOT NULL REFERENCES admin_actions ON DELETE CASCADE,
  position integer NOT NULL,
  data     bytea   NOT NULL,
  PRIMARY KEY (run_id, position)
);
-- They are compressed already.
ALTER TABLE admin_action_pieces ALTER data SET STORAGE EXTERNAL;

-- Digests of root tokens: those that replicas have started with, which hold on these replicas alone, and those that were issued since.
CREATE TABLE admin_tokens (
  -- Grows with each change, so that replicas see that there was one.
  version     bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  digest      bytea       NOT NULL UNIQUE,
  issued      boolean     NOT NULL,
  valid_from  timestamptz NOT NULL DEFAULT now(),
  -- Null: until another one takes its place.
  valid_until timestamptz,
  created_by  text        NOT NULL
);
