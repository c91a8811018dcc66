-- The audit log: who changed what, by any door. Each record holds the hash of the one before it, so that what is edited, removed or put elsewhere shows.

CREATE TABLE audit_log (
  -- Without gaps: a number that is missing is a record that was removed.
  seq           bigint      PRIMARY KEY,
  at            timestamptz NOT NULL,
  tenant_id     text        NOT NULL,
  principal     text        NOT NULL,
  role          text        NOT NULL,
  door          text        NOT NULL,
  operation     text        NOT NULL,
  target        text,
  -- json, as it keeps the text that was hashed.
  before        json,
  after         json,
  -- ok, or the code of the error.
  outcome       text        NOT NULL,
  request_id    text,
  trace_id      text,
  address       text,
  previous_hash text        NOT NULL,
  hash          text        NOT NULL,
  CONSTRAINT audit_log_positive CHECK (seq > 0)
);
CREATE INDEX audit_log_by_time ON audit_log (at);
CREATE INDEX audit_log_by_principal ON audit_log (principal, seq);
CREATE INDEX audit_log_by_operation ON audit_log (operation, seq);
CREATE INDEX audit_log_by_target ON audit_log (target, seq) WHERE target IS NOT NULL;
CREATE INDEX audit_log_by_request ON audit_log (request_id) WHERE request_id IS NOT NULL;

-- One row: the last record, kept apart so that a tail that was cut off shows; and the last one that retention has removed, so that the chain can be
-- followed from there.
CREATE TABLE audit_head (
  one         boolean PRIMARY KEY DEFAULT true,
  seq         bigint  NOT NULL DEFAULT 0,
  hash        text    NOT NULL DEFAULT repeat('0', 64),
  anchor_seq  bigint  NOT NULL DEFAULT 0,
  anchor_hash text    NOT NULL DEFAULT repeat('0', 64),
  CONSTRAINT audit_head_is_one CHECK (one),
  CONSTRAINT audit_head_in_order CHECK (anchor_seq <= seq)
) WITH (fillfactor = 10);
INSERT INTO audit_head DEFAULT VALUES;

-- Only what retention has let go may leave. Names are those of the schema of the table, whatever a session calls its own temporary tables.
CREATE FUNCTION guard_audit_log() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  anchor bigint;
BEGIN
  IF TG_OP = 'DELETE' THEN
    EXECUTE format('SELECT anchor_seq FROM %I.audit_head', TG_TABLE_SCHEMA) INTO anchor;
    IF OLD.seq <= anchor THEN
      RETURN OLD;
    END IF;
  END IF;
  RAISE EXCEPTION 'the audit log is only appended to: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;

-- The head only grows, and retention begins at a record that exists and is a day old.
CREATE FUNCTION guard_audit_head() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  is_old boolean;
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF (NEW.anchor_seq, NEW.anchor_hash) = (OLD.anchor_seq, OLD.anchor_hash) AND NEW.seq > OLD.seq THEN
      RETURN NEW;
    END IF;
    EXECUTE format('SELECT at < now() - interval ''1 day'' FROM %I.audit_log WHERE seq = $1 AND hash = $2', TG_TABLE_SCHEMA)
      INTO is_old USING NEW.anchor_seq, NEW.anchor_hash;
    IF is_old AND NEW.anchor_seq > OLD.anchor_seq AND (NEW.seq, NEW.hash) = (OLD.seq, OLD.hash) THEN
      RETURN NEW;
    END IF;
  END IF;
  RAISE EXCEPTION 'the head of the audit log only grows: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER audit_log_keeps_rows BEFORE UPDATE OR DELETE ON audit_log FOR EACH ROW EXECUTE FUNCTION guard_audit_log();
CREATE TRIGGER audit_log_keeps_all BEFORE TRUNCATE ON audit_log FOR EACH STATEMENT EXECUTE FUNCTION guard_audit_log();
CREATE TRIGGER audit_head_keeps_row BEFORE UPDATE OR DELETE ON audit_head FOR EACH ROW EXECUTE FUNCTION guard_audit_head();
CREATE TRIGGER audit_head_keeps_all BEFORE TRUNCATE ON audit_head FOR EACH STATEMENT EXECUTE FUNCTION guard_audit_head();

-- Retention: the only way out. Removes the oldest records, at most so many, that are older than so many days, and answers how many. With the rights of
-- its owner, so that the service itself needs none to delete.
CREATE FUNCTION prune_audit_log(days integer, most integer) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
  bound timestamptz := now() - make_interval(days => greatest(days, 1));
  last record;
  gone bigint;
BEGIN
  WITH oldest AS MATERIALIZED (SELECT seq, hash, at FROM audit_log ORDER BY seq LIMIT most)
  SELECT seq, hash INTO last FROM oldest
  WHERE seq < coalesce((SELECT min(seq) FROM oldest WHERE at >= bound), 9223372036854775807)
  ORDER BY seq DESC LIMIT 1;
  IF last.seq IS NULL THEN
    RETURN 0;
  END IF;
  UPDATE audit_head SET anchor_seq = last.seq, anchor_hash = last.hash;
  DELETE FROM audit_log WHERE seq <= last.seq;
  GET DIAGNOSTICS gone = ROW_COUNT;
  RETURN gone;
END
$$;
REVOKE EXECUTE ON FUNCTION prune_audit_log FROM PUBLIC;
