-- Tasks: the durable unit of work, and the state machine's invariants.

CREATE TYPE task_status AS ENUM
  ('pending', 'scheduled', 'blocked', 'queued', 'running', 'cancelling', 'completed', 'failed', 'cancelled');

-- Declared in rising order, so that ORDER BY priority DESC is most urgent first.
CREATE TYPE task_priority AS ENUM ('low', 'medium', 'high', 'critical');

CREATE TABLE tasks (
  tenant_id           text          NOT NULL,
  id                  uuid          NOT NULL,
  name                text          NOT NULL,
  type                text          NOT NULL,
  queue               text          NOT NULL,
  priority            task_priority NOT NULL,
  status              task_status   NOT NULL,
  parameters          jsonb         NOT NULL,
  labels              jsonb         NOT NULL,
  result              jsonb,
  error               jsonb,
  progress            real          NOT NULL DEFAULT 0,
  progress_message    text,
  -- Attempts started so far. The row describes the latest one while started_at is set; earlier ones are in attempts.
  attempt             integer       NOT NULL DEFAULT 0,
  -- Attempts that do not count against max_attempts: lost leases, hand-backs, those before a manual retry.
  uncounted_attempts  integer       NOT NULL DEFAULT 0,
  max_attempts        integer       NOT NULL,
  -- Lost leases since create or manual retry.
  rescues             integer       NOT NULL DEFAULT 0,
  timeout_seconds     integer       NOT NULL,
  backoff             jsonb         NOT NULL,
  run_at              timestamptz,
  worker_id           text,
  lease_token         uuid,
  lease_expires_at    timestamptz,
  cancel_requested_at timestamptz,
  created_by          text          NOT NULL,
  created_at          timestamptz   NOT NULL DEFAULT now(),
  updated_at          timestamptz   NOT NULL DEFAULT now(),
  queued_at           timestamptz,
  started_at          timestamptz,
  finished_at         timestamptz,
  version             bigint        NOT NULL DEFAULT 1,

  PRIMARY KEY (tenant_id, id),

  CONSTRAINT tasks_name_length CHECK (char_length(name) BETWEEN 1 AND 255),
  CONSTRAINT tasks_parameters_object CHECK (jsonb_typeof(parameters) = 'object'),
  CONSTRAINT tasks_labels_object CHECK (jsonb_typeof(labels) = 'object'),
  CONSTRAINT tasks_progress_range CHECK (progress BETWEEN 0 AND 100),
  CONSTRAINT tasks_finished_iff_terminal
    CHECK ((finished_at IS NOT NULL) = (status IN ('completed', 'failed', 'cancelled'))),
  CONSTRAINT tasks_leased_iff_running
    CHECK ((lease_token IS NOT NULL) = (status IN ('running', 'cancelling'))),
  CONSTRAINT tasks_lease_complete
    CHECK ((lease_token IS NULL) = (lease_expires_at IS NULL)
           AND (lease_token IS NULL OR (worker_id IS NOT NULL AND started_at IS NOT NULL AND attempt > 0))),
  CONSTRAINT tasks_cancelling_was_asked CHECK (status <> 'cancelling' OR cancel_requested_at IS NOT NULL),
  CONSTRAINT tasks_scheduled_has_time CHECK (status <> 'scheduled' OR run_at IS NOT NULL),
  CONSTRAINT tasks_queued_has_time CHECK (status NOT IN ('queued', 'running') OR queued_at IS NOT NULL),
  CONSTRAINT tasks_waiting_has_no_attempt
    CHECK (status NOT IN ('pending', 'scheduled', 'blocked', 'queued') OR (started_at IS NULL AND worker_id IS NULL)),
  CONSTRAINT tasks_failed_has_error CHECK (status <> 'failed' OR error IS NOT NULL),
  CONSTRAINT tasks_result_iff_completed CHECK (result IS NULL OR status = 'completed'),
  CONSTRAINT tasks_attempt_budget
    CHECK (attempt >= uncounted_attempts AND uncounted_attempts >= 0 AND max_attempts >= 1
           AND attempt - uncounted_attempts <= max_attempts)
);

-- The line itself: only queued rows, in the order in which they are claimed.
CREATE INDEX tasks_claim ON tasks (priority DESC, id) WHERE status = 'queued';
CREATE INDEX tasks_due ON tasks (run_at) WHERE status = 'scheduled';
-- No lease column in it, so that renewing a lease stays a heap-only update.
CREATE INDEX tasks_leased ON tasks (id) WHERE status IN ('running', 'cancelling');

-- One index a list filter, each ending in id so that a page is a short walk of one index.
CREATE INDEX tasks_by_status ON tasks (tenant_id, status, id);
CREATE INDEX tasks_by_type ON tasks (tenant_id, type, id);
CREATE INDEX tasks_by_queue ON tasks (tenant_id, queue, id);
CREATE INDEX tasks_by_name ON tasks (tenant_id, name, id);
-- The default priority is nearly every row, and then the primary key finds a page as fast.
CREATE INDEX tasks_by_priority ON tasks (tenant_id, priority, id) WHERE priority <> 'medium';
CREATE INDEX tasks_by_label ON tasks USING gin (labels jsonb_path_ops) WHERE labels <> '{}';
