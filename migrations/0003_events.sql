-- The event log: one row a transition, written by the statement that makes the transition.

CREATE TABLE events (
  seq       bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant_id text        NOT NULL,
  task_id   uuid        NOT NULL,
  action    text        NOT NULL,
  at        timestamptz NOT NULL DEFAULT now(),
  -- The task as it was then, without parameters and result.
  data      jsonb       NOT NULL
);

CREATE INDEX events_by_task ON events (tenant_id, task_id, seq);

-- One row: how far the log has been pruned, so that a client that asks for less is told to start over.
CREATE TABLE event_log_state (
  only_row       boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  pruned_through bigint  NOT NULL DEFAULT 0
);
INSERT INTO event_log_state DEFAULT VALUES;
