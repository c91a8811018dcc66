import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTestDatabase } from '../../test/support/database.js';
import type { Database } from '../database/database.js';
import { firstIdAt } from '../engine/task-id.js';
import { listQuery } from './list-query.js';
import { ListTasksDto } from './task-filters.dto.js';
import { toTaskView } from './task-view.js';

const stored = 100_000;
/** The newest are all alike, as after a large bulk: what else is asked for lies behind them. */
const burst = 20_000;
/** A page of 50 is read from few rows and few blocks of 8 KiB, however many tasks are stored. */
const maxRows = 5_000;
const maxBlocks = 2_000;

let database: Database;
let close: () => Promise<void>;
beforeAll(async () => {
  ({ database, close } = await openTestDatabase());
  await database.loops.queryText(
    `INSERT INTO tasks (tenant_id, id, name, type, queue, priority, status, parameters, labels, result, error, attempt, max_attempts, timeout_seconds, backoff,
       run_at, worker_id, lease_token, lease_expires_at, cancel_requested_at, created_by, created_at, queued_at, started_at, finished_at)
     SELECT CASE WHEN n % 20 = 0 THEN 'other' ELSE 'default' END,
       (lpad(to_hex((1700000000000 + n * 1000)::bigint), 12, '0') || '7' || substr(md5(n::text), 1, 3) || '8' || substr(md5(n::text), 4, 15))::uuid,
       CASE WHEN recent THEN 'Burst' WHEN n % 3 = 0 THEN 'Nightly import' WHEN n % 5000 = 1 THEN 'Rare report' ELSE 'Job ' || n END,
       CASE WHEN recent THEN 'echo' WHEN n % 2000 = 1 THEN 'report.render' WHEN r < 0.7 THEN 'http.request' ELSE 'echo' END,
       CASE WHEN recent THEN 'burst' WHEN n % 3000 = 1 THEN 'vip' WHEN r < 0.9 THEN 'default' ELSE 'mail-' || n % 7 END,
       (CASE WHEN recent THEN 'low' WHEN n % 1000 = 1 THEN 'critical' WHEN r < 0.05 THEN 'high' WHEN r > 0.9 THEN 'low' ELSE 'medium' END)::task_priority,
       status,
       '{"url": "https://example.com"}',
       CASE WHEN r < 0.4 AND n % 1000 <> 7 THEN '{}' ELSE jsonb_build_object('env', CASE WHEN r < 0.95 THEN 'prod' ELSE 'test' END, 'team', 'team-' || n % 10, 'order', n::text) END,
       CASE WHEN status = 'completed' THEN '{"status": 200}'::jsonb END,
       CASE WHEN status = 'failed' THEN '{"code": "HTTP_STATUS"}'::jsonb END,
       CASE WHEN started THEN 1 ELSE 0 END, 1, 300, '{}',
       CASE WHEN status = 'scheduled' THEN now() + interval '1 day' END,
       CASE WHEN started THEN 'w' END,
       CASE WHEN status IN ('running', 'cancelling') THEN gen_random_uuid() END,
       CASE WHEN status IN ('running', 'cancelling') THEN now() END,
       CASE WHEN status = 'cancelling' THEN now() END,
       'root', to_timestamp(1700000000 + n),
       CASE WHEN status NOT IN ('pending', 'scheduled') THEN now() END,
       CASE WHEN started THEN now() END,
       CASE WHEN status IN ('completed', 'failed', 'cancelled') THEN now() END
     FROM (
       SELECT *, status NOT IN ('pending', 'scheduled', 'queued') AS started FROM (
         SELECT n, (abs(hashint4(n)) % 10000) / 10000.0 AS r, n > ${stored - burst} AS recent,
           (CASE WHEN n > ${stored - burst} THEN 'queued' WHEN n % 10000 = 1 THEN 'cancelling' WHEN n % 5000 = 2 THEN 'running' WHEN n % 997 = 3 THEN 'pending' WHEN n % 500 = 4 THEN 'scheduled'
                 WHEN n % 25 = 5 THEN 'failed' WHEN n % 100 = 6 THEN 'cancelled' ELSE 'completed' END)::task_status AS status
         FROM generate_series(1, ${stored}) n
       ) drawn
     ) marked
     ORDER BY n`,
  );
  await database.loops.queryText('ANALYZE tasks, task_filters');
});
afterAll(() => close());

const filters = (given: Partial<ListTasksDto>) => Object.assign(new ListTasksDto(), given);

interface PlanNode {
  'Node Type': string;
  'Relation Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  'Rows Removed by Index Recheck'?: number;
  'Shared Hit Blocks': number;
  'Shared Read Blocks': number;
  Plans?: PlanNode[];
}

async function explain(given: ListTasksDto): Promise<{ nodes: PlanNode[]; rows: number; blocks: number; text: string }> {
  const { text, values } = listQuery('default', given);
  const [row] = await database.api.queryText<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(
    `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${text}`,
    values,
  );
  const root = row!['QUERY PLAN'][0].Plan;
  const nodes: PlanNode[] = [];
  for (const rest = [root]; rest.length;) {
    const node = rest.pop()!;
    nodes.push(node);
    rest.push(...(node.Plans ?? []));
  }
  // What the scans looked at, whether it was kept or not.
  const scans = nodes.filter((node) => node['Node Type'].endsWith(' Scan') && !/^(CTE|Subquery) Scan$/.test(node['Node Type']));
  const examined = (node: PlanNode) =>
    (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0)) * node['Actual Loops'];
  const shown = nodes.map((node) => `${node['Node Type']} ${examined(node)}`).join(', ');
  return {
    nodes,
    rows: scans.reduce((sum, node) => sum + examined(node), 0),
    blocks: root['Shared Hit Blocks'] + root['Shared Read Blocks'],
    text: shown,
  };
}

const middle = new Date(1_700_000_000_000 + (stored / 2) * 1_000).toISOString();
const nearEnd = new Date(1_700_000_000_000 + (stored - 60) * 1_000).toISOString();

/**
 * No index serves these alone: the default priority has none, as it is nearly every row, and of two common filters only one
 * is found by index. They walk past the burst, and no further.
 */
const walksPastTheBurst = ['priority, the default', 'status, type and queue, several of each', 'two common ones', 'label and status'];

const cases: [string, Partial<ListTasksDto>][] = [
  ['none', {}],
  ['status, common', { status: ['completed'] }],
  ['status, some', { status: ['failed'] }],
  ['status, rare', { status: ['cancelling'] }],
  ['status, absent', { status: ['blocked'] }],
  ['status, several', { status: ['queued', 'running', 'cancelling', 'scheduled'] }],
  ['status, all', { status: ['pending', 'scheduled', 'queued', 'running', 'cancelling', 'completed', 'failed', 'cancelled'] }],
  ['type, common', { type: ['http.request'] }],
  ['type, rare', { type: ['report.render'] }],
  ['type, absent', { type: ['no.such'] }],
  ['queue, common', { queue: ['default'] }],
  ['queue, rare', { queue: ['vip'] }],
  ['queue, several', { queue: ['vip', 'mail-1', 'default'] }],
  ['priority, the default', { priority: ['medium'] }],
  ['priority, some', { priority: ['low', 'high'] }],
  ['priority, rare', { priority: ['critical'] }],
  ['name, common', { name: ['Nightly import'] }],
  ['name, rare', { name: ['Rare report'] }],
  ['status, of the burst', { status: ['queued'] }],
  ['queue, of the burst', { queue: ['burst'] }],
  ['name, one', { name: ['Job 4711'] }],
  ['name, absent', { name: ['No such job'] }],
  ['label, common', { label: ['env=prod'] }],
  ['label, some', { label: ['team=team-3'] }],
  ['label, rare', { label: ['env=test'] }],
  ['label, one', { label: ['order=50007'] }],
  ['label, absent', { label: ['order=none'] }],
  ['label, two', { label: ['env=prod', 'team=team-3'] }],
  ['label, a contradiction', { label: ['team=team-3', 'team=team-4'] }],
  ['created_after, nearly all', { created_after: '2023-11-14T00:00:00Z' }],
  ['created_after, few', { created_after: nearEnd }],
  ['created_before, half', { created_before: middle }],
  ['created between', { created_after: middle, created_before: nearEnd }],
  ['a cursor in the middle', { cursor: firstIdAt(Date.parse(middle)) }],
  ['status and type', { status: ['failed'], type: ['http.request'] }],
  [
    'status, type and queue, several of each',
    { status: ['failed', 'completed'], type: ['http.request', 'echo'], queue: ['default', 'vip'] },
  ],
  ['rare status and common queue', { status: ['running'], queue: ['default'] }],
  ['common status and rare type', { status: ['completed'], type: ['report.render'] }],
  ['rare priority and common status', { priority: ['critical'], status: ['completed'] }],
  ['common name and rare status', { name: ['Nightly import'], status: ['scheduled'] }],
  ['status and cursor', { status: ['completed'], cursor: firstIdAt(Date.parse(middle)) }],
  ['two common ones', { status: ['completed'], type: ['http.request'] }],
  ['label and status', { label: ['team=team-3'], status: ['completed'] }],
  ['label and cursor', { label: ['env=prod'], cursor: firstIdAt(Date.parse(middle)) }],
  ['status and time', { status: ['completed'], created_before: middle }],
  [
    'more alternatives than arms',
    {
      name: Array.from({ length: 20 }, (_, index) => `Job ${index * 100 + 1}`),
      status: ['completed', 'failed', 'queued'],
      type: ['echo', 'http.request'],
    },
  ],
];

describe.each(['desc', 'asc'] as const)('with 100,000 tasks stored, one page (%s)', (order) => {
  test.each(cases)('filtered by: %s', async (name, given) => {
    const { nodes, rows, blocks, text } = await explain(filters({ ...given, order }));
    expect(nodes.filter((node) => node['Node Type'] === 'Seq Scan' && /^(tasks|task_filters)$/.test(node['Relation Name'] ?? ''))).toEqual(
      [],
    );
    expect(rows, text).toBeLessThan(maxRows + (walksPastTheBurst.includes(name) ? burst : 0));
    expect(blocks, text).toBeLessThan(maxBlocks + (walksPastTheBurst.includes(name) ? burst / 4 : 0));
  });
});

test.each(cases)('finds what a plain WHERE finds: %s', async (_, given) => {
  const wanted = filters({ ...given, limit: 200 });
  const { text, values } = listQuery('default', wanted);
  const rows = (await database.api.queryText<Parameters<typeof toTaskView>[0]>(text, values)).slice(0, 200).map(toTaskView);
  const labels = wanted.label?.map((label) => ({ [label.slice(0, label.indexOf('='))]: label.slice(label.indexOf('=') + 1) })) ?? [];
  const expected = await database.api.queryText<{ id: string }>(
    `SELECT id FROM tasks WHERE tenant_id = 'default'
       AND ($1::text[] IS NULL OR status::text = ANY($1)) AND ($2::text[] IS NULL OR type = ANY($2)) AND ($3::text[] IS NULL OR queue = ANY($3))
       AND ($4::text[] IS NULL OR priority::text = ANY($4)) AND ($5::text[] IS NULL OR name = ANY($5)) AND labels @> ALL($6::jsonb[])
       AND created_at >= coalesce($7::timestamptz, '-infinity') AND created_at < coalesce($8::timestamptz, 'infinity') AND ($9::uuid IS NULL OR id < $9)
     ORDER BY id DESC LIMIT 200`,
    [
      ...[wanted.status, wanted.type, wanted.queue, wanted.priority, wanted.name].map((list) => list ?? null),
      labels.map((label) => JSON.stringify(label)),
      ...[wanted.created_after, wanted.created_before, wanted.cursor].map((value) => value ?? null),
    ],
  );
  expect(rows.map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
});
