import { statement, type Queryable } from '../../database/database.js';
import { firstIdAt } from '../task-id.js';

const pruneTasksStatement = statement<{ pruned: number }>(
  'prune_tasks',
  `WITH RECURSIVE tenants AS (
  -- One look at the index for each tenant, however many tasks it has.
  (SELECT tenant_id FROM tasks ORDER BY tenant_id LIMIT 1)
  UNION ALL
  SELECT (SELECT n.tenant_id FROM tasks n WHERE n.tenant_id > t.tenant_id ORDER BY n.tenant_id LIMIT 1) FROM tenants t WHERE t.tenant_id IS NOT NULL
), old AS MATERIALIZED (
  -- A task that finished that long ago was created even before: its id is below the first one of that time.
  SELECT candidate.tenant_id, candidate.id
  FROM tenants, unnest('{completed,failed,cancelled}'::task_status[]) AS finished(status), LATERAL (
    SELECT tenant_id, id FROM tasks
    WHERE tenant_id = tenants.tenant_id AND status = finished.status AND id < $1::uuid AND finished_at < now() - make_interval(days => $2)
    ORDER BY id LIMIT $3
  ) candidate
  LIMIT $3
), locked AS MATERIALIZED (
  SELECT t.tenant_id, t.id FROM tasks t JOIN old ON old.tenant_id = t.tenant_id AND old.id = t.id
  -- Looked at again under the lock: somebody may have retried it.
  WHERE t.status IN ('completed', 'failed', 'cancelled')
  ORDER BY t.id FOR UPDATE OF t SKIP LOCKED
), attempts_gone AS (
  DELETE FROM attempts a USING locked WHERE a.tenant_id = locked.tenant_id AND a.task_id = locked.id
), logs_gone AS (
  DELETE FROM task_logs l USING locked WHERE l.tenant_id = locked.tenant_id AND l.task_id = locked.id
), gone AS (
  DELETE FROM tasks t USING locked WHERE t.tenant_id = locked.tenant_id AND t.id = locked.id RETURNING t.tenant_id, t.queue, t.type, t.status
), counted AS (
  INSERT INTO task_count_changes (tenant_id, queue, type, name, change)
  SELECT tenant_id, queue, type, status::text, -count(*) FROM gone GROUP BY tenant_id, queue, type, status
)
SELECT count(*) AS pruned FROM gone`,
);

/**
 * Lets tasks go that finished more than `days` ago, with their attempts and logs; at most `limit`. Answers how many went.
 * Claims never meet them: only finished rows are touched, and locked ones are left for the next time.
 */
export async function pruneTasks(db: Queryable, days: number, limit: number): Promise<number> {
  const bound = firstIdAt(Date.now() - days * 86_400_000);
  const [row] = await db.query(pruneTasksStatement, [bound, days, limit]);
  return row!.pruned;
}
