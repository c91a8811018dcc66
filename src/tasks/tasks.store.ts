import { Injectable } from '@nestjs/common';
import { Database, statement } from '../database/database.js';
import { pageOf, type Page } from '../input/page.js';
import type { TaskRef } from '../engine/task-row.js';
import { listQuery } from './list-query.js';
import type { ListTasksDto } from './task-filters.dto.js';
import type { Json, Task, TaskError } from './task.js';
import { taskColumns, toTaskView, type StoredTask } from './task-view.js';

const getAllStatement = statement<StoredTask & { position: number }>(
  'get_tasks',
  `SELECT position, ${taskColumns.join(', ')}
FROM unnest($1::text[], $2::uuid[]) WITH ORDINALITY AS wanted(tenant_id, id, position) JOIN tasks USING (tenant_id, id)`,
);

/** One execution of a task. */
export interface AttemptView {
  attempt: number;
  /** `lost`: its worker went silent; `released`: its worker shut down. Neither counts against `max_attempts`. */
  status: 'running' | 'cancelling' | 'completed' | 'failed' | 'cancelled' | 'lost' | 'released';
  worker_id: string;
  started_at: string;
  finished_at: string | null;
  error: TaskError | null;
}

const attemptsStatement = statement<AttemptView>(
  'list_attempts',
  `SELECT attempt, status, worker_id, started_at, finished_at, error FROM attempts WHERE tenant_id = $1 AND task_id = $2 AND attempt > $3::bigint
UNION ALL
SELECT attempt, CASE WHEN error->>'code' = 'LEASE_LOST' THEN 'lost' ELSE status::text END, worker_id, started_at, finished_at, error
FROM tasks WHERE tenant_id = $1 AND id = $2 AND attempt > $3::bigint AND started_at IS NOT NULL
ORDER BY attempt LIMIT $4`,
);

/** One line that a handler logged. */
export interface LogView {
  /** Grows with every line; the cursor. */
  id: number;
  attempt: number;
  level: 'debug' | 'info' | 'warn' | 'error';
  message: string;
  data: Json;
  at: string;
}

const logsStatement = statement<LogView>(
  'list_logs',
  `SELECT id, attempt, level, message, data, at FROM task_logs WHERE tenant_id = $1 AND task_id = $2 AND id > $3 ORDER BY id LIMIT $4`,
);

/** What is read of tasks. */
@Injectable()
export class TasksStore {
  constructor(private readonly database: Database) {}

  /** In the order of `refs`; undefined where there is no such task. */
  async getAll(refs: TaskRef[]): Promise<(Task | undefined)[]> {
    const rows = await this.database.api.query(getAllStatement, [refs.map((ref) => ref.tenant_id), refs.map((ref) => ref.id)]);
    // By position, not by id: of two tenants that ask for one id, one must not see it.
    const tasks = new Map(rows.map((row) => [row.position, toTaskView(row)]));
    return refs.map((_, index) => tasks.get(index + 1));
  }

  async list(tenantId: string, filters: ListTasksDto): Promise<Page<Task, string>> {
    const { text, values } = listQuery(tenantId, filters);
    const rows = await this.database.api.queryText<StoredTask & { found: number }>(text, values);
    const items = rows.slice(0, filters.limit).map(toTaskView);
    const more = rows.length > 0 && rows[0]!.found > items.length;
    return { items, next_cursor: more ? items.at(-1)!.id : null };
  }

  async attempts({ tenant_id, id }: TaskRef, after: number, limit: number): Promise<Page<AttemptView, number>> {
    return pageOf(await this.database.api.query(attemptsStatement, [tenant_id, id, after, limit + 1]), limit, (row) => row.attempt);
  }

  async logs({ tenant_id, id }: TaskRef, after: number, limit: number): Promise<Page<LogView, number>> {
    return pageOf(await this.database.api.query(logsStatement, [tenant_id, id, after, limit + 1]), limit, (row) => row.id);
  }
}
