-- How far a cancel of a running task has come: requested, delivered to its worker, and in the end stopped, or ignored.

ALTER TABLE tasks
  ADD cancel_state text,
  ADD CONSTRAINT tasks_cancel_state CHECK (cancel_state IN ('requested', 'delivered', 'stopped', 'ignored')),
  ADD CONSTRAINT tasks_cancelling_has_state CHECK (status <> 'cancelling' OR cancel_state IN ('requested', 'delivered')) NOT VALID;
