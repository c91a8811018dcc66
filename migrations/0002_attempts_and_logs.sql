-- What earlier attempts left behind. The latest attempt of a task is its own row in tasks.

CREATE TABLE attempts (
  tenant_id   text        NOT NULL,
  task_id     uuid        NOT NULL,
  attempt     integer     NOT NULL,
  status      text        NOT NULL,
  worker_id   text        NOT NULL,
  started_at  timestamptz NOT NULL,
  finished_at timestamptz NOT NULL,
  error       jsonb,
  PRIMARY KEY (tenant_id, task_id, attempt),
  CONSTRAINT attempts_status CHECK (status IN ('failed', 'cancelled', 'lost', 'released'))
);

CREATE TABLE task_logs (
  tenant_id text        NOT NULL,
  task_id   uuid        NOT NULL,
  id        bigint      GENERATED ALWAYS AS IDENTITY,
  attempt   integer     NOT NULL,
  level     text        NOT NULL,
  message   text        NOT NULL,
  data      jsonb,
  at        timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, task_id, id),
  CONSTRAINT task_logs_level CHECK (level IN ('debug', 'info', 'warn', 'error'))
);
