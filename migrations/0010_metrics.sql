-- Metrics: counts that follow the event log, and the history of every series.

-- Where a transition came from, so that counts can be kept from the log alone; null when the task is new or its status stays.
ALTER TABLE events ADD from_status task_status;

-- How far the log has been counted and the history rolled up, and what the leader last found.
CREATE TABLE metrics_state (
  only_row        boolean     PRIMARY KEY DEFAULT true CHECK (only_row),
  counted_through bigint      NOT NULL,
  minutes_through timestamptz NOT NULL DEFAULT date_trunc('hour', now()),
  hours_through   timestamptz NOT NULL DEFAULT date_trunc('hour', now()),
  snapshot        jsonb,
  snapshot_at     timestamptz
);

-- By name: how many tasks are in each status, and totals that only grow (`…_total`, `…_sum`, and the buckets of wait and run time).
CREATE TABLE task_counts (
  tenant_id text NOT NULL,
  queue     text NOT NULL,
  type      text NOT NULL,
  name      text NOT NULL,
  value     double precision NOT NULL,
  PRIMARY KEY (tenant_id, queue, type, name)
);

-- What the log does not tell of, to be added to the counts: tasks that retention took, lost leases, tasks that changed their queue or type.
CREATE TABLE task_count_changes (
  tenant_id text NOT NULL,
  queue     text NOT NULL,
  type      text NOT NULL,
  name      text NOT NULL,
  change    double precision NOT NULL
);

INSERT INTO metrics_state (counted_through) SELECT coalesce(max(seq), 0) FROM events;
INSERT INTO task_counts SELECT tenant_id, queue, type, status::text, count(*) FROM tasks GROUP BY tenant_id, queue, type, status;

CREATE TABLE metric_series (
  id        integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  -- Empty for what belongs to the server rather than to a tenant.
  tenant_id text    NOT NULL,
  metric    text    NOT NULL,
  labels    jsonb   NOT NULL,
  CONSTRAINT metric_series_once UNIQUE (tenant_id, metric, labels)
);

-- Samples as taken (10 s), then rolled up to minutes and hours.
CREATE TABLE metric_points (
  step_seconds integer     NOT NULL,
  series_id    integer     NOT NULL,
  at           timestamptz NOT NULL,
  count        integer     NOT NULL,
  sum          double precision NOT NULL,
  min          double precision NOT NULL,
  max          double precision NOT NULL,
  last         double precision NOT NULL,
  PRIMARY KEY (step_seconds, series_id, at)
);
CREATE INDEX metric_points_by_time ON metric_points (step_seconds, at);

-- The latest sample of every replica; those of replicas that are gone go away.
CREATE TABLE replica_samples (
  replica_id text        PRIMARY KEY,
  sample     jsonb       NOT NULL,
  at         timestamptz NOT NULL DEFAULT now()
);
