import { statement, type Queryable } from '../../database/database.js';
import type { ClaimedTask } from '../task-row.js';
import { claimColumns, claimNext, type Claim } from './claim.js';
import { completeInput, completeRows, settledInOrder, type Completion, type Settled } from './complete.js';
import { actionOfStatus, recordEvents } from './sql.js';

const completeAndClaimStatement = statement<ClaimedTask & { claimed: boolean }>(
  'complete_and_claim',
  `WITH ${completeRows('completed')},
${claimNext('claimed', 6)},
changed AS (
  SELECT * FROM completed UNION ALL SELECT * FROM claimed
), ${recordEvents(`CASE t.status WHEN 'running' THEN 'task_started' ELSE ${actionOfStatus} END`)}
SELECT c.*, c.status = 'running' AS claimed FROM changed c ORDER BY priority DESC, id`,
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
  const rows = await db.query(completeAndClaimStatement, [...completeInput(completions), ...claimColumns(request)]);
  const { claimed = [], settled = [] } = Object.groupBy(rows, (row) => (row.claimed ? 'claimed' : 'settled'));
  return { settled: settledInOrder(completions, settled as unknown as { id: string; status: Settled }[]), claimed };
}
