import { requestContext, type NotedChange } from '../transport/request-context.js';

/** Of one request; what is more is counted. */
const maxNoted = 100;

/**
 * Says what the running request has changed, for the audit log: the id of the thing, and what it was and is (either may be absent). Without secrets.
 * A request that says nothing is recorded all the same. Outside of a request that is audited this does nothing.
 */
export function noteChange(change: NotedChange): void {
  const audit = requestContext()?.audit;
  if (!audit) return;
  if (audit.changes.length < maxNoted) audit.changes.push(change);
  else audit.more += 1;
}

/** Says that the running request has changed nothing: a trial, or a repetition. It is not recorded, unless it is refused. */
export function noteUnchanged(): void {
  const audit = requestContext()?.audit;
  if (audit) audit.unchanged = true;
}
