// What it takes to evaluate all alert rules once: in this process, by the product's own evaluator, on a real database.
import { randomUUIDv7 } from 'node:crypto';
import { AlertsStore } from '../../dist/alerts/alerts.store.js';
import { RuleStatesStore } from '../../dist/alerts/rules/rule-states.store.js';
import { RulesEvaluator } from '../../dist/alerts/rules/rules-evaluator.js';
import { Kernel } from '../../dist/kernel.js';
import { createLogger } from '../../dist/logger.js';
import { PointsStore } from '../../dist/metrics/history/points.store.js';
import { loadSettings } from '../../dist/settings.js';
import { median } from '../lib/statistics.mjs';

export const sizes = {
  full: { rules: 1_000, series: 100, evaluations: 10 },
  quick: { rules: 20, series: 10, evaluations: 2 },
};

const measure = (name) => ({ suite: 'rules', name, unit: 'ms', better: 'less' });
const windowSeconds = 300;
const stepMs = 10_000;

export async function run({ servers, size, results, eachSystem }) {
  const server = await servers.get('postgres');
  const all = [{ name: 'arkitect', label: `${size.rules} rules × ${size.series} series, windows of ${windowSeconds / 60} minutes` }];
  await eachSystem('rules', all, async (system) => {
    const connection = await server.create();
    const kernel = await start(connection);
    try {
      const sql = (text, values = []) => kernel.database.loops.queryText(text, values);
      const begin = Math.floor(Date.now() / stepMs) * stepMs;
      await seed(sql, size, begin);
      const states = new RuleStatesStore(kernel.database, new AlertsStore(kernel.database));
      const evaluator = new RulesEvaluator(states, new PointsStore(kernel.database.loops), kernel.wakeUps, 35_000);
      results.add(measure('first evaluation of a new leader'), system, await timed(() => evaluator.evaluate(begin)));
      const evaluations = [];
      for (let step = 1; step <= size.evaluations; step++) {
        await sample(sql, begin + step * stepMs);
        evaluations.push(await timed(() => evaluator.evaluate(begin + step * stepMs + 500)));
      }
      results.add(measure('an evaluation, with reading the new samples, median'), system, median(evaluations));
      results.add(measure('… longest'), system, Math.max(...evaluations));
      const [{ count }] = await sql('SELECT count(*)::int AS count FROM alert_rules WHERE series = $1 AND last_error IS NULL', [
        size.series,
      ]);
      if (count !== size.rules) throw new Error(`${count} of ${size.rules} rules were evaluated over ${size.series} series.`);
    } finally {
      await kernel.close();
      await server.drop(connection);
    }
  });
}

function start({ host, port, user, database }) {
  const url = `postgresql://${user}@localhost:${port}/${database}?host=${encodeURIComponent(host)}`;
  const { settings } = loadSettings({ DATABASE_URL: url, RUNNER_SLOTS: '0', LOG_LEVEL: 'error' }, '');
  return Kernel.start(settings, createLogger(settings));
}

/** No value is beyond its rule's threshold: what alerts cost is another question. */
async function seed(sql, { rules, series }, begin) {
  const spec = {
    matchers: [{ label: 'host', operator: '!=', value: '' }],
    group_by: null,
    aggregation: 'avg',
    window_seconds: windowSeconds,
    group_aggregation: 'sum',
    comparator: '>',
    threshold: 2,
    recovery_threshold: null,
    for_seconds: 60,
    keep_firing_seconds: 0,
    no_data: 'ok',
    min_samples: 1,
    severity: 'warning',
    labels: {},
    annotations: {},
    runbook_url: null,
  };
  await sql(
    `INSERT INTO metric_series (tenant_id, metric, labels)
     SELECT 'default', 'bench_' || rule, jsonb_build_object('host', 'host-' || series) FROM generate_series(1, $1::int) rule, generate_series(1, $2::int) series
     UNION ALL SELECT '', 'arkitect_replicas', '{}'`,
    [rules, series],
  );
  await sql(
    `INSERT INTO alert_rules (tenant_id, id, name, kind, spec, created_by, watched_since)
     SELECT 'default', id, 'rule-' || place, 'threshold', $2::jsonb || jsonb_build_object('metric', 'bench_' || place), 'bench', now() - interval '1 day'
     FROM unnest($1::uuid[]) WITH ORDINALITY i (id, place)`,
    [Array.from({ length: rules }, randomUUIDv7), JSON.stringify(spec)],
  );
  await sql('UPDATE metrics_state SET minutes_through = to_timestamp($1::float8), hours_through = to_timestamp($1::float8)', [
    begin / 1_000 - 3_600,
  ]);
  for (let at = begin - windowSeconds * 1_000; at <= begin; at += stepMs) await sample(sql, at);
  await sql('VACUUM (ANALYZE) metric_series, metric_points, alert_rules');
}

async function sample(sql, at) {
  await sql(
    `INSERT INTO metric_points (step_seconds, series_id, at, count, sum, min, max, last)
     SELECT 10, id, to_timestamp($1::float8), 1, value, value, value, value FROM metric_series, random() value`,
    [at / 1_000],
  );
}

async function timed(work) {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}
