import { randomUUIDv7 } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { openTestDatabase } from '../../../test/support/database.js';
import { aThreshold, anExpectation } from '../../../test/support/rules.js';
import { WakeUps } from '../../events/wake-ups.js';
import { HistoryStore } from '../../metrics/history/history.store.js';
import { PointsStore } from '../../metrics/history/points.store.js';
import type { Alert } from '../alert.js';
import { AlertsStore } from '../alerts.store.js';
import { defaultRules } from './default-rules.js';
import type { RuleDefinition } from './rule.js';
import { RuleStatesStore } from './rule-states.store.js';
import { RulesEvaluator } from './rules-evaluator.js';
import { RulesStore } from './rules.store.js';

let open: Awaited<ReturnType<typeof openTestDatabase>>;
let history: HistoryStore;
let states: RuleStatesStore;
let rules: RulesStore;
let wakeUps: WakeUps;
/** Seconds since the epoch, a multiple of ten; each look of the test is ten later. */
let now: number;

beforeAll(async () => {
  open = await openTestDatabase();
  const alerts = new AlertsStore(open.database);
  states = new RuleStatesStore(open.database, alerts);
  rules = new RulesStore(open.database, alerts);
  wakeUps = new WakeUps(open.database, 'rules-test', () => undefined);
});
afterAll(async () => {
  await wakeUps.stop();
  await open.close();
});
beforeEach(async () => {
  await sql('TRUNCATE metric_series, metric_points, alert_rules CASCADE');
  await sql('TRUNCATE alerts, alert_history, events');
  history = new HistoryStore(open.database);
  now = Math.floor(Date.now() / 10_000) * 10 - 3_000;
  await sql('UPDATE metrics_state SET minutes_through = to_timestamp($1::float8), hours_through = to_timestamp($1::float8)', [now - 7_200]);
});

const sql = <Row = object>(text: string, values: unknown[] = []) => open.database.api.queryText<Row>(text, values);
const anEvaluator = () => new RulesEvaluator(states, new PointsStore(open.database.loops), wakeUps, () => 35_000);

async function aRule(definition: RuleDefinition, name = `rule-${randomUUIDv7()}`): Promise<string> {
  const id = randomUUIDv7();
  await rules.create({ tenant_id: 'default', id, name, enabled: true, created_by: 'test', ...definition }, 1_000);
  await watchedSince(now - 86_400);
  return id;
}

/** The rules of this test are as old as the time that it is about. */
const watchedSince = (at: number) => sql('UPDATE alert_rules SET watched_since = to_timestamp($1::float8)', [at]);

/** The values of `m` by host, ten seconds later; the leader has looked, too. */
async function sampled(values: Record<string, number>, labels: Record<string, string> = {}): Promise<number> {
  now += 10;
  const beat = { tenant_id: '', metric: 'arkitect_replicas', labels: {}, value: 1 };
  const own = Object.entries(values).map(([host, value]) => ({ tenant_id: 'default', metric: 'm', labels: { host, ...labels }, value }));
  await history.add([beat, ...own], now);
  return now * 1_000 + 500;
}

const alerts = () => sql<Alert>('SELECT * FROM alerts ORDER BY started_at, labels');
const active = async () =>
  (await alerts())
    .filter(({ status }) => status !== 'resolved')
    .map(({ labels }) => labels['host']!)
    .toSorted((a, b) => (a < b ? -1 : 1));

test('a rule raises an alert for each series that is beyond the threshold, and ends it', async () => {
  const { spec } = aThreshold({
    labels: { team: 'a' },
    annotations: { summary: '{{ labels.host }} is at {{ value }} ({{ rule }}, {{ threshold }})' },
  });
  await aRule({ kind: 'threshold', spec }, 'High');
  const evaluator = anEvaluator();
  await evaluator.evaluate(await sampled({ a: 11, b: 1, c: 12 }));
  expect(await alerts()).toMatchObject([
    {
      name: 'High',
      source: 'rule',
      status: 'open',
      labels: { host: 'a', team: 'a' },
      value: 11,
      annotations: { summary: 'a is at 11 (High, 10)' },
    },
    { labels: { host: 'c', team: 'a' } },
  ]);
  await evaluator.evaluate(await sampled({ a: 1, b: 11, c: 13 }));
  expect(await active()).toEqual(['b', 'c']);
  expect((await alerts()).find(({ labels }) => labels['host'] === 'a')).toMatchObject({ status: 'resolved', resolved_by: 'rule' });
});

test('another leader goes on where the first one was, and one that is late writes nothing', async () => {
  await aRule(aThreshold({ for_seconds: 20 }));
  const first = anEvaluator();
  await first.evaluate(await sampled({ a: 11 }));
  await first.evaluate(await sampled({ a: 11 }));
  const second = anEvaluator();
  await second.evaluate(await sampled({ a: 11 }));
  expect(await active()).toEqual(['a']);
  const at = await sampled({ a: 1 });
  await Promise.all([first.evaluate(at), second.evaluate(at)]);
  // Whoever was overtaken begins anew.
  await first.evaluate(at);
  await second.evaluate(at);
  expect(await active()).toEqual([]);
  expect(await sql('SELECT action FROM alert_history ORDER BY id')).toEqual([{ action: 'created' }, { action: 'resolved' }]);
});

test('two that evaluate at once never double an alert', async () => {
  await aRule(aThreshold());
  const evaluators = [anEvaluator(), anEvaluator()];
  for (let round = 0; round < 6; round++) {
    const at = await sampled({ a: round % 2 ? 1 : 11, b: 11 });
    await Promise.all(evaluators.map((evaluator) => evaluator.evaluate(at)));
    await evaluators[round % 2]!.evaluate(at);
    expect(await active()).toEqual(round % 2 ? ['b'] : ['a', 'b']);
  }
  expect(await sql("SELECT count(*) FROM alert_history WHERE action = 'created'")).toEqual([{ count: 4 }]);
});

test('an alert that somebody has resolved is raised again only when the condition has been gone', async () => {
  await aRule(aThreshold());
  const evaluator = anEvaluator();
  await evaluator.evaluate(await sampled({ a: 11 }));
  await sql("UPDATE alerts SET status = 'resolved', resolved_at = now(), resolved_by = 'somebody'");
  await evaluator.evaluate(await sampled({ a: 12 }));
  expect(await active()).toEqual([]);
  await evaluator.evaluate(await sampled({ a: 1 }));
  await evaluator.evaluate(await sampled({ a: 12 }));
  expect(await active()).toEqual(['a']);
});

test('a changed threshold holds from the next evaluation on; a rule that is about something else begins anew', async () => {
  const { spec } = aThreshold();
  const id = await aRule({ kind: 'threshold', spec });
  const evaluator = anEvaluator();
  await evaluator.evaluate(await sampled({ a: 11, b: 21 }));
  await rules.change('default', id, () => ({ enabled: true, spec: { ...spec, threshold: 20 }, isAnother: false }));
  expect(await active()).toEqual(['a', 'b']);
  await evaluator.evaluate(await sampled({ a: 11, b: 21 }));
  expect(await active()).toEqual(['b']);
  await rules.change('default', id, () => ({ enabled: true, spec: { ...spec, labels: { team: 'b' } }, isAnother: true }));
  await watchedSince(now);
  expect(await active()).toEqual([]);
  await evaluator.evaluate(await sampled({ a: 11, b: 21 }));
  expect(await active()).toEqual(['a', 'b']);
  await rules.change('default', id, () => ({ enabled: false, spec, isAnother: false }));
  await evaluator.evaluate(await sampled({ a: 11, b: 21 }));
  expect(await active()).toEqual([]);
  expect(await sql('SELECT * FROM alert_rule_states')).toEqual([]);
});

test('a rule that is deleted takes its alerts with it, also while it is evaluated', async () => {
  const id = await aRule(aThreshold());
  const evaluator = anEvaluator();
  await evaluator.evaluate(await sampled({ a: 11 }));
  const at = await sampled({ a: 11, b: 11, c: 11 });
  await Promise.all([evaluator.evaluate(at), rules.remove('default', id, () => undefined)]);
  await evaluator.evaluate(await sampled({ a: 11, b: 11, c: 11 }));
  expect(await active()).toEqual([]);
});

test('a series that vanishes while it is well is missed, also by a leader that has never seen it', async () => {
  await aRule(aThreshold({ no_data: 'alert', window_seconds: 30 }));
  const first = anEvaluator();
  for (let round = 0; round < 4; round++) await first.evaluate(await sampled({ a: 1, b: 1 }));
  for (let round = 0; round < 3; round++) await first.evaluate(await sampled({ a: 1 }));
  expect(await active()).toEqual(['b']);
  await anEvaluator().evaluate(await sampled({ a: 1 }));
  expect(await active()).toEqual(['b']);
  now += 90_000;
  for (let round = 0; round < 6; round++) await first.evaluate(await sampled({ a: 1 }));
  expect(await active()).toEqual([]);
});

test('after a pause of all samples nothing is concluded from what is absent', async () => {
  await aRule(aThreshold({ no_data: 'alert', window_seconds: 60 }));
  const evaluator = anEvaluator();
  await evaluator.evaluate(await sampled({ a: 1, b: 11 }));
  for (const seconds of [50, 130, 1_000]) await evaluator.evaluate((now + seconds) * 1_000);
  now += 1_000;
  await evaluator.evaluate(await sampled({}));
  expect(await active()).toEqual(['b']);
  for (let round = 0; round < 6; round++) await evaluator.evaluate(await sampled({}));
  expect(await active()).toEqual(['a', 'b']);
});

test('an expectation is missed when nothing grows, also when there is nothing at all', async () => {
  await aRule(anExpectation({ within_seconds: 60 }));
  await aRule(anExpectation({ within_seconds: 60, metric: 'absent' }), 'Absent');
  const evaluator = anEvaluator();
  for (let round = 0; round < 6; round++) await evaluator.evaluate(await sampled({ a: round, b: 7 }));
  expect(await alerts()).toEqual([]);
  for (let round = 0; round < 6; round++) await evaluator.evaluate(await sampled({ a: 5, b: 7 }));
  expect(await alerts()).toMatchObject([
    { name: 'Absent', labels: {} },
    { status: 'open', value: 0 },
  ]);
  await evaluator.evaluate(await sampled({ a: 5, b: 8 }));
  expect((await alerts()).filter(({ status }) => status === 'open')).toMatchObject([{ name: 'Absent' }]);
});

test('an expectation counts from the time at which its rule was created', async () => {
  await aRule(anExpectation({ within_seconds: 60 }));
  for (let round = 0; round < 10; round++) await sampled({ a: 5 });
  await watchedSince(now);
  const evaluator = anEvaluator();
  for (let round = 0; round < 5; round++) await evaluator.evaluate(await sampled({ a: 5 }));
  expect(await alerts()).toEqual([]);
  await evaluator.evaluate(await sampled({ a: 5 }));
  expect(await alerts()).toHaveLength(1);
});

test('a total that begins with its series counts from zero; one that is new to the server does not', async () => {
  await aRule(aThreshold({ aggregation: 'increase' }));
  // Rows of series are younger than the time that this test is about.
  const begun = (host: string, at: number) =>
    sql("UPDATE metric_series SET created_at = to_timestamp($2::float8) WHERE labels->>'host' = $1", [host, at]);
  for (let round = 0; round < 6; round++) {
    await sampled({ old: 100 });
    if (round === 0) await begun('old', now);
  }
  const at = await sampled({ old: 100, new: 50 });
  await begun('new', now + 1);
  await anEvaluator().evaluate(at);
  expect(await active()).toEqual(['new']);
});

test('samples of a replica whose clock is late count', async () => {
  await aRule(aThreshold());
  const late = (value: number) => history.add([{ tenant_id: '', metric: 'm', labels: { host: 'late' }, value }], now - 40);
  const evaluator = anEvaluator();
  await late(1);
  await evaluator.evaluate(await sampled({}));
  for (let round = 0; round < 3; round++) {
    const at = await sampled({});
    await late(11);
    await evaluator.evaluate(at);
  }
  expect(await active()).toEqual(['late']);
});

test('groups are one series, and server and tenant are never mixed up', async () => {
  await aRule(aThreshold({ group_by: ['zone'], threshold: 15 }));
  const at = await sampled({ a: 10, b: 10 }, { zone: 'x' });
  const server = { tenant_id: '', metric: 'm', labels: { host: 's', zone: 'x' }, value: 20 };
  await history.add([server, { ...server, tenant_id: 'other', value: 99 }], now);
  await anEvaluator().evaluate(at);
  expect((await alerts()).map(({ labels, value }) => ({ labels, value }))).toEqual([
    { labels: { zone: 'x' }, value: 20 },
    { labels: { zone: 'x' }, value: 20 },
  ]);
});

test('a window of hours goes back to the roll-ups', async () => {
  await aRule(aThreshold({ aggregation: 'max', window_seconds: 7_200 }));
  const hourAgo = now - 5_400;
  const at = await sampled({ a: 1 });
  await sql(
    `INSERT INTO metric_points (step_seconds, series_id, at, count, sum, min, max, last)
SELECT 60, id, to_timestamp($1::float8), 6, 12, 1, 11, 1 FROM metric_series WHERE metric = 'm' AND labels->>'host' = 'a'`,
    [Math.floor(hourAgo / 60) * 60],
  );
  await sql('UPDATE metrics_state SET minutes_through = to_timestamp($1::float8)', [now - 600]);
  const evaluator = anEvaluator();
  await evaluator.evaluate(at);
  expect(await alerts()).toMatchObject([{ value: 11 }]);
  await evaluator.evaluate(await sampled({ a: 2 }));
  expect(await active()).toEqual(['a']);
});

test('the rules that come with the server are created once, and what is deleted does not come back', async () => {
  await sql('UPDATE alert_evaluation SET defaults = 0');
  const create = () => states.createDefaults(defaultRules.map((rule) => ({ ...rule, tenant_id: 'default', id: randomUUIDv7() })));
  await create();
  const names = async () => (await rules.list('default', undefined, 200)).map(({ name }) => name).toSorted();
  expect(await names()).toEqual(defaultRules.map(({ name }) => name).toSorted());
  await sql("DELETE FROM alert_rules WHERE name = 'HighCpu'");
  await create();
  expect(await names()).not.toContain('HighCpu');
  await anEvaluator().evaluate(await sampled({}));
  expect(await sql('SELECT * FROM alert_rules WHERE evaluated_version = 1 AND last_error IS NULL')).toHaveLength(defaultRules.length - 1);
});

test('templates that take long do not keep an alert, or anybody else, waiting', async () => {
  const slow = '{% for i in (1..3000) %}{% for j in (1..3000) %}x{% endfor %}{% endfor %}';
  const { spec } = aThreshold({ annotations: { slow, summary: 'of {{ labels.host }}' } });
  await aRule({ kind: 'threshold', spec });
  const hosts = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`h${index}`, 11]));
  const begun = performance.now();
  await anEvaluator().evaluate(await sampled(hosts));
  expect(performance.now() - begun).toBeLessThan(5_000);
  expect(await active()).toHaveLength(50);
});

test('whatever a template makes can be stored, and a rule that cannot be evaluated harms no other', async () => {
  const half = "{% assign n = '%00' | url_decode %}{{ n }}a" + '\u{1f600}'.repeat(1_000) + "{{ labels.host | append: '\u{1f600}' }}";
  const { spec } = aThreshold({ annotations: { half: `${half}${half}` } });
  await aRule({ kind: 'threshold', spec });
  await aRule(aThreshold({ matchers: [{ label: 'host', operator: '=~', value: '(' }] }), 'Broken');
  await anEvaluator().evaluate(await sampled({ a: 11 }));
  expect(await active()).toEqual(['a']);
  const broken = (await rules.list('default', undefined, 10)).find(({ name }) => name === 'Broken');
  expect(broken!.last_error).toMatch(/could not be evaluated/);
});

test('labels are never looked up in what all objects have', async () => {
  await aRule(aThreshold({ group_by: ['constructor'] }));
  await anEvaluator().evaluate(await sampled({ a: 11 }));
  expect(await alerts()).toMatchObject([{ labels: {} }]);
});
