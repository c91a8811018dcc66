-- Remote workers: who is connected, which types they announced, and what an attempt keeps for the next one.

ALTER TABLE tasks ADD checkpoint jsonb;

-- By type first: who claims some types must not walk past a line of others.
DROP INDEX tasks_claim;
CREATE INDEX tasks_claim ON tasks (type, priority DESC, id) WHERE status = 'queued' AND lease_token IS NULL;

CREATE TABLE workers (
  tenant_id    text        NOT NULL,
  id           text        NOT NULL,
  name         text        NOT NULL,
  -- Another one for each connection: a replica whose connection broke sees whether the worker came back elsewhere.
  session      uuid        NOT NULL,
  state        text        NOT NULL DEFAULT 'connected',
  door         text        NOT NULL,
  replica_id   text        NOT NULL,
  types        text[]      NOT NULL,
  queues       text[]      NOT NULL,
  slots        integer     NOT NULL,
  in_flight    integer     NOT NULL DEFAULT 0,
  labels       jsonb       NOT NULL,
  sdk          text,
  -- What somebody wants of it; its replica does it and takes it away.
  command      text,
  connected_at timestamptz NOT NULL DEFAULT now(),
  last_beat_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT workers_state CHECK (state IN ('connected', 'draining', 'gone')),
  CONSTRAINT workers_door CHECK (door IN ('grpc', 'http')),
  CONSTRAINT workers_command CHECK (command IN ('drain', 'disconnect'))
);

CREATE INDEX workers_by_replica ON workers (replica_id);

-- Types that somebody other than the server itself runs: tasks of these are accepted.
CREATE TABLE worker_types (
  tenant_id    text        NOT NULL,
  type         text        NOT NULL,
  last_seen_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, type)
);
