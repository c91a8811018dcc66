import { statement, type Queryable } from '../../database/database.js';
import type { TaskStatus } from '../../tasks/task.js';
import { recordEvents } from './sql.js';

/** Which tasks; all of what is given must hold. Never those that run. */
export interface PurgeFilter {
  tenant_id: string;
  status: TaskStatus[];
  type?: string[];
  queue?: string[];
  finished_before?: string;
  created_before?: string;
}

const matching = `t.tenant_id = $1 AND t.status = ANY($2::task_status[]) AND t.status NOT IN ('running', 'cancelling')
    AND ($3::text[] IS NULL OR t.type = ANY($3)) AND ($4::text[] IS NULL OR t.queue = ANY($4))
    AND ($5::timestamptz IS NULL OR t.finished_at < $5) AND ($6::timestamptz IS NULL OR t.created_at < $6)`;

const purgeStatement = statement<{ purged: number; last: string | null }>(
  'purge_tasks',
  `WITH locked AS MATERIALIZED (
  SELECT t.tenant_id, t.id FROM tasks t WHERE ${matching} AND t.id > $7::uuid ORDER BY t.id LIMIT $8 FOR UPDATE SKIP LOCKED
), changed AS (
  DELETE FROM tasks t USING locked WHERE t.tenant_id = locked.tenant_id AND t.id = locked.id RETURNING t.*
), attempts_gone AS (
  DELETE FROM attempts a USING changed c WHERE a.tenant_id = c.tenant_id AND a.task_id = c.id
), logs_gone AS (
  DELETE FROM task_logs l USING changed c WHERE l.tenant_id = c.tenant_id AND l.task_id = c.id
), ${recordEvents("'task_deleted'", 't.status')}
SELECT count(*) AS purged, (SELECT id FROM locked ORDER BY id DESC LIMIT 1) AS last FROM changed`,
);

const countStatement = statement<{ count: number }>('count_purgeable', `SELECT count(*) AS count FROM tasks t WHERE ${matching}`);

const sampleStatement = statement<{ id: string; name: string; type: string; status: TaskStatus }>(
  'sample_purgeable',
  `SELECT t.id, t.name, t.type, t.status FROM tasks t WHERE ${matching} ORDER BY t.id LIMIT $7`,
);

function values({ tenant_id, status, type, queue, finished_before, created_before }: PurgeFilter): unknown[] {
  return [tenant_id, status, type ?? null, queue ?? null, finished_before ?? null, created_before ?? null];
}

/**
 * Deletes up to `limit` tasks with ids above `after` that match and do not run, with their attempts and logs, oldest first. Rows that somebody
 * else has locked are left. Answers how many went, and the last id that it came to; null when there was none any more.
 */
export async function purge(
  db: Queryable,
  filter: PurgeFilter,
  after: string,
  limit: number,
): Promise<{ purged: number; last: string | null }> {
  return (await db.query(purgeStatement, [...values(filter), after, limit]))[0]!;
}

export async function countPurgeable(db: Queryable, filter: PurgeFilter): Promise<number> {
  return (await db.query(countStatement, values(filter)))[0]!.count;
}

/** The oldest of them. */
export function samplePurgeable(db: Queryable, filter: PurgeFilter, limit: number) {
  return db.query(sampleStatement, [...values(filter), limit]);
}
