import { statement, type Queryable } from '../../database/database.js';
import type { ClaimedTask } from '../task-row.js';
import { claimedColumns, claimInput, claimNext, type Claim } from './claim.js';
import { completeInput, completeRows, settledInOrder, type Completion, type Settled } from './complete.js';
import { actionOfStatus, endedFrom, recordEvents } from './sql.js';

type Row = ClaimedTask & { settled_id: string | null; settled_status: Settled };

const completeAndClaimStatement = statement<Row>(
  'complete_and_claim',
  `WITH ${completeRows('completed')},
${claimNext('claimed', 6)},
changed AS (
  SELECT * FROM completed UNION ALL SELECT * FROM claimed
), ${recordEvents(
    `CASE t.status WHEN 'running' THEN 'task_started' ELSE ${actionOfStatus} END`,
    `CASE t.status WHEN 'running' THEN 'queued' ELSE ${endedFrom} END`,
  )}
-- Two lists in one answer: a row is either a settled task or a claimed one.
SELECT s.id AS settled_id, s.status AS settled_status, ${claimedColumns}
FROM completed s FULL JOIN claimed c ON false
ORDER BY c.priority DESC, c.id`,
);

/**
 * complete and claim in one statement: a worker that gives results back takes its next tasks on the same way.
 * Answers what became of each completion, in order, and the tasks that were claimed.
 */
export async function completeAndClaim(
  db: Queryable,
  completions: Completion[],
  request: Claim,
): Promise<{ settled: Settled[]; claimed: ClaimedTask[] }> {
  const rows = await db.query(completeAndClaimStatement, [...completeInput(completions), ...claimInput(request)]);
  const settled = rows.flatMap(({ settled_id: id, settled_status: status }) => (id === null ? [] : [{ id, status }]));
  return { settled: settledInOrder(completions, settled), claimed: rows.filter((row) => row.settled_id === null) };
}
