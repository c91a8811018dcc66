import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTestDatabase } from '../../test/support/database.js';
import type { Database } from '../database/database.js';
import { listQuery } from './list-query.js';
import { ListTasksDto } from './task-filters.dto.js';

const fill = `INSERT INTO tasks (tenant_id, id, name, type, queue, priority, status, parameters, labels, max_attempts, timeout_seconds, backoff,
    created_by, run_at, queued_at, finished_at)
  SELECT 'default', gen_random_uuid(), 'n', 'echo', 'default', 'medium', $2::task_status, '{}', '{}', 1, 300, '{}', 'test', now(), now(),
    CASE $2 WHEN 'completed' THEN now() END
  FROM generate_series(1, $1::int)`;

let database: Database;
let close: () => Promise<void>;
beforeAll(async () => {
  ({ database, close } = await openTestDatabase());
  await database.loops.queryText('ALTER TABLE tasks SET (autovacuum_enabled = false)');
  await database.loops.queryText(fill, [20_000, 'completed']);
  await database.loops.queryText('ANALYZE tasks');
  await database.loops.queryText(fill, [5_000, 'queued']);
  await database.loops.queryText(fill, [5_000, 'scheduled']);
});
afterAll(() => close());

interface PlanNode {
  'Node Type': string;
  'Index Name'?: string;
  'Actual Rows': number;
  Plans?: PlanNode[];
}

test.each(['queued', 'scheduled'] as const)(
  'a page of %s tasks is a short walk, also when the statistics know nothing of thousands that have just come',
  async (status) => {
    const { text, values } = listQuery('default', Object.assign(new ListTasksDto(), { status: [status] }));
    const [row] = await database.api.queryText<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(`EXPLAIN (ANALYZE, FORMAT JSON) ${text}`, values);
    const scans: PlanNode[] = [];
    for (const rest = [row!['QUERY PLAN'][0].Plan]; rest.length;) {
      const node = rest.pop()!;
      if (node['Index Name']) scans.push(node);
      rest.push(...(node.Plans ?? []));
    }
    expect(scans).toMatchObject([{ 'Index Name': 'tasks_by_status' }]);
    expect(scans[0]!['Actual Rows']).toBeLessThanOrEqual(51);
  },
);
