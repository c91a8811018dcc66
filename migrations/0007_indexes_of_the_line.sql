-- The indexes of the line and of what is due are for claims and for the scheduler alone. With predicates that say no more than the
-- status, the planner took them for lists by status too, whenever its statistics were older than a burst: it read and sorted the
-- whole line for one page.

DROP INDEX tasks_claim;
CREATE INDEX tasks_claim ON tasks (priority DESC, id) WHERE status = 'queued' AND lease_token IS NULL;

DROP INDEX tasks_due;
CREATE INDEX tasks_due ON tasks (run_at) WHERE status = 'scheduled' AND run_at IS NOT NULL;
