-- Recent lines of the log of all replicas. Bounded: each storing takes the oldest away that are beyond the limit.

CREATE TABLE log_lines (
  id         bigint      PRIMARY KEY,
  at         timestamptz NOT NULL,
  replica_id text        NOT NULL,
  -- 10 trace, 20 debug, 30 info, 40 warn, 50 error, 60 fatal.
  level      smallint    NOT NULL,
  msg        text        NOT NULL,
  request_id text,
  trace_id   text,
  task_id    text,
  -- At most 8 KiB.
  fields     jsonb       NOT NULL
);

-- The number of the newest line. Whoever stores lines holds this row until they are committed, so that lines appear in the order of
-- their numbers and without a gap: a reader that has seen one has seen all before it.
CREATE TABLE log_position (
  single  boolean PRIMARY KEY DEFAULT true,
  last_id bigint  NOT NULL,
  CONSTRAINT log_position_single CHECK (single)
) WITH (fillfactor = 10);
INSERT INTO log_position (last_id) VALUES (0);

-- What each replica says of itself with its sign of life.
ALTER TABLE config_replicas
  ADD COLUMN started_at    timestamptz,
  ADD COLUMN version       text,
  ADD COLUMN host          text,
  ADD COLUMN pid           integer,
  -- Since when it leads; null: it does not, or an older version.
  ADD COLUMN leading_since timestamptz;
