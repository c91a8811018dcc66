-- A transition writes as little as possible: events as typed columns, and the indexes of the list filters elsewhere.

ALTER TABLE events
  ADD name             text,
  ADD type             text,
  ADD queue            text,
  ADD priority         task_priority,
  ADD status           task_status,
  ADD labels           jsonb,
  ADD error            jsonb,
  ADD progress         real,
  ADD progress_message text,
  ADD attempt          integer,
  ADD max_attempts     integer,
  ADD run_at           timestamptz,
  ADD worker_id        text,
  ADD created_by       text,
  ADD created_at       timestamptz,
  ADD queued_at        timestamptz,
  ADD started_at       timestamptz,
  ADD finished_at      timestamptz,
  ADD version          bigint,
  -- Of task_log alone: {level, message, data}.
  ADD log              jsonb;

UPDATE events SET (name, type, queue, priority, status, labels, error, progress, progress_message, attempt, max_attempts, run_at,
                   worker_id, created_by, created_at, queued_at, started_at, finished_at, version, log) = (
  SELECT name, type, queue, priority, status, labels, error, progress, progress_message, attempt, max_attempts, run_at,
         worker_id, created_by, created_at, queued_at, started_at, finished_at, version, log
  FROM jsonb_to_record(data) AS d(name text, type text, queue text, priority task_priority, status task_status, labels jsonb, error jsonb,
         progress real, progress_message text, attempt integer, max_attempts integer, run_at timestamptz, worker_id text, created_by text,
         created_at timestamptz, queued_at timestamptz, started_at timestamptz, finished_at timestamptz, version bigint, log jsonb));

ALTER TABLE events DROP data;

-- What lists filter by, apart from the status. A table of its own, as an UPDATE of any indexed column of a row adds the
-- row to all indexes of its table: here a task is indexed once, not again at each start and end.
CREATE TABLE task_filters (
  tenant_id text          NOT NULL,
  id        uuid          NOT NULL,
  name      text          NOT NULL,
  type      text          NOT NULL,
  queue     text          NOT NULL,
  priority  task_priority NOT NULL,
  labels    jsonb         NOT NULL,
  PRIMARY KEY (tenant_id, id)
);

INSERT INTO task_filters SELECT tenant_id, id, name, type, queue, priority, labels FROM tasks;

DROP INDEX tasks_by_type, tasks_by_queue, tasks_by_name, tasks_by_priority, tasks_by_label;

-- One index a list filter, each ending in id so that a page is a short walk of one index.
CREATE INDEX task_filters_by_type ON task_filters (tenant_id, type, id);
CREATE INDEX task_filters_by_queue ON task_filters (tenant_id, queue, id);
CREATE INDEX task_filters_by_name ON task_filters (tenant_id, name, id);
-- The default priority is nearly every row, and then the primary key finds a page as fast.
CREATE INDEX task_filters_by_priority ON task_filters (tenant_id, priority, id) WHERE priority <> 'medium';
CREATE INDEX task_filters_by_label ON task_filters USING gin (labels jsonb_path_ops) WHERE labels <> '{}';

-- Kept by the database, so that whoever writes tasks need not know of it. Transitions do not set these columns and fire nothing.
CREATE FUNCTION add_task_filters() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO task_filters SELECT tenant_id, id, name, type, queue, priority, labels FROM added;
  RETURN NULL;
END $$;

CREATE FUNCTION change_task_filters() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE task_filters SET name = NEW.name, type = NEW.type, queue = NEW.queue, priority = NEW.priority, labels = NEW.labels
  WHERE tenant_id = NEW.tenant_id AND id = NEW.id;
  RETURN NULL;
END $$;

CREATE FUNCTION remove_task_filters() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM task_filters f USING removed WHERE f.tenant_id = removed.tenant_id AND f.id = removed.id;
  RETURN NULL;
END $$;

CREATE TRIGGER tasks_added AFTER INSERT ON tasks REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION add_task_filters();
CREATE TRIGGER tasks_filters_changed AFTER UPDATE OF name, type, queue, priority, labels ON tasks FOR EACH ROW EXECUTE FUNCTION change_task_filters();
CREATE TRIGGER tasks_removed AFTER DELETE ON tasks REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION remove_task_filters();
