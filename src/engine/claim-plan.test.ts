import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTestEngine, type TestEngine } from '../../test/support/engine.js';
import { claimStatement } from './transitions/claim.js';

let t: TestEngine;
beforeEach(async () => {
  t = await startTestEngine();
});
afterEach(() => t.close());

const fill = `INSERT INTO tasks (tenant_id, id, name, type, queue, priority, status, parameters, labels, max_attempts, timeout_seconds, backoff,
    created_by, queued_at, finished_at)
  SELECT 'default', gen_random_uuid(), 'n', 'test', 'default', (ARRAY['low', 'medium', 'high', 'critical'])[1 + i % 4]::task_priority, $2::task_status,
    '{}', '{}', 1, 300, '{}', 'test', now(), CASE $2 WHEN 'completed' THEN now() END
  FROM generate_series(1, $1::int) i`;

/** In pieces, each well within the limit of a statement. */
async function fillWith(count: number, status: string): Promise<void> {
  for (let left = count; left > 0; left -= 20_000) await t.database.api.queryText(fill, [Math.min(left, 20_000), status]);
}

interface Plan {
  'Node Type': string;
  'Index Name'?: string;
  'Relation Name'?: string;
  'Actual Rows': number;
  'Subplan Name'?: string;
  Plans?: Plan[];
}

function flatten(plan: Plan): Plan[] {
  return [plan, ...(plan.Plans ?? []).flatMap(flatten)];
}

/** The plan of the prepared claim, in a transaction that is rolled back. */
async function claimPlan(): Promise<Plan[]> {
  const types = ['text[]', 'int', 'text[]', 'float8', 'text[]', 'text'];
  return t.database.engine
    .transaction(async (transaction) => {
      await transaction.queryText(`PREPARE claim_plan (${types.join(', ')}) AS ${claimStatement.text}`);
      const [row] = await transaction.queryText<{ 'QUERY PLAN': [{ Plan: Plan }] }>(
        "EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE claim_plan (ARRAY['test', 'other'], 50, ARRAY['w'], 30, '{}', NULL)",
      );
      throw Object.assign(new Error('roll back'), { plan: flatten(row!['QUERY PLAN'][0].Plan) });
    })
    .catch((error: { plan?: Plan[] }) => {
      if (error.plan) return error.plan;
      throw error;
    });
}

test.each([
  [0, false],
  [10_000, false],
  [10_000, true],
  [200_000, false],
  [200_000, true],
])('with %i queued tasks (analysed: %s) a claim walks the claim index and sorts nothing but what it took', async (queued, analysed) => {
  if (queued) await fillWith(queued, 'queued');
  if (analysed) await t.database.api.queryText('ANALYZE tasks');
  const plan = await claimPlan();
  const scans = plan.filter((node) => node['Relation Name'] === 'tasks' && node['Node Type'].includes('Scan'));
  expect(scans.map((node) => node['Index Name'])).toContain('tasks_claim');
  expect(scans.map((node) => node['Node Type'])).not.toContain('Seq Scan');
  for (const node of plan) if (node['Node Type'] === 'Sort') expect(node['Actual Rows']).toBeLessThanOrEqual(50);
  for (const node of scans) expect(node['Actual Rows']).toBeLessThanOrEqual(50);
});

test('a claim that was prepared on an empty table walks the index when it is not empty any more', async () => {
  const prepared = `PREPARE early_claim (text[], int, text[], float8, text[], text) AS ${claimStatement.text}`;
  const values = "(ARRAY['test'], 50, ARRAY['w'], 30, '{}', NULL)";
  const plan = await t.database.engine
    .transaction(async (transaction) => {
      await transaction.queryText(prepared);
      // After five of them PostgreSQL would keep one plan for all.
      for (let time = 0; time < 7; time++) await transaction.queryText(`EXECUTE early_claim ${values}`);
      await transaction.queryText(fill, [20_000, 'queued']);
      const [row] = await transaction.queryText<{ 'QUERY PLAN': [{ Plan: Plan }] }>(
        `EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE early_claim ${values}`,
      );
      throw Object.assign(new Error('roll back'), { plan: flatten(row!['QUERY PLAN'][0].Plan) });
    })
    .catch((error: { plan?: Plan[] }) => {
      if (error.plan) return error.plan;
      throw error;
    });
  for (const node of plan) if (node['Relation Name'] === 'tasks') expect(node['Actual Rows']).toBeLessThanOrEqual(50);
});

test('a finished hundred thousand is not looked at by a claim', async () => {
  await fillWith(100_000, 'completed');
  await fillWith(100, 'queued');
  const scans = (await claimPlan()).filter((node) => node['Relation Name'] === 'tasks');
  expect(scans.map((node) => node['Index Name'])).toContain('tasks_claim');
});
