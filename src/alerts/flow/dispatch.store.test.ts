import { randomUUIDv7 } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { openTestDatabase } from '../../../test/support/database.js';
import { until } from '../../../test/support/until.js';
import type { Database } from '../../database/database.js';
import { WakeUps } from '../../events/wake-ups.js';
import { AlertsStore } from '../alerts.store.js';
import { dispatch } from './dispatch.js';
import { DispatchStore } from './dispatch.store.js';
import { Dispatcher } from './dispatcher.js';

const never = { times: 0, seconds: 60 };

let opened: Awaited<ReturnType<typeof openTestDatabase>>;
let database: Database;
let alerts: AlertsStore;
let store: DispatchStore;

beforeAll(async () => {
  opened = await openTestDatabase();
  database = opened.database;
  alerts = new AlertsStore(database);
  store = new DispatchStore(database);
});
afterAll(() => opened.close());
beforeEach(async () => {
  const tables = 'alerts, alert_history, alert_groups, alert_marks, alert_dispatch, alert_routes, alert_notifications, alert_channels';
  await database.api.queryText(`TRUNCATE ${tables}`);
  await database.api.queryText(
    "INSERT INTO alert_channels (tenant_id, id, name, kind, spec, created_by) SELECT t, $1, 'ops', 'socket', '{}', 'test' FROM unnest($2::text[]) t",
    [randomUUIDv7(), ['default', 'other']],
  );
});

async function raise(name: string, more: { tenant_id?: string; severity?: 'warning' | 'critical' } = {}): Promise<string> {
  const { id } = await alerts.raise({
    tenant_id: 'default',
    id: randomUUIDv7(),
    fingerprint: name,
    name,
    severity: 'warning',
    source: 'api',
    labels: {},
    annotations: {},
    runbook_url: null,
    value: null,
    created_by: 'test',
    expires_in_seconds: null,
    ...more,
  });
  return id;
}

const look = () => store.look('default', never, dispatch);
const tenants = async () => (await store.due()).tenants;

/** Names of the alerts of each notification, in the order in which they are sent. */
async function told(): Promise<string[]> {
  const rows = await database.api.queryText<{ names: string }>(
    `SELECT (SELECT string_agg(CASE a->>'status' WHEN 'resolved' THEN '-' ELSE '' END || (a->>'name'), ' ') FROM jsonb_array_elements(content->'alerts') a) AS names
FROM alert_notifications ORDER BY id`,
  );
  return rows.map(({ names }) => names);
}

test('what begins and what ends is marked by the statement that changes it, and looked at once', async () => {
  expect(await tenants()).toEqual([]);
  const id = await raise('a');
  expect(await tenants()).toEqual(['default']);
  expect(await look()).toBe(true);
  expect(await look()).toBe(false);
  await raise('a');
  expect(await tenants(), 'a repetition is no news').toEqual([]);
  await raise('a', { severity: 'critical' });
  expect(await tenants(), 'another severity may lead elsewhere').toEqual(['default']);
  await look();
  await alerts.resolve({ tenant_id: 'default', id, by: 'test', note: null });
  await raise('b', { tenant_id: 'other' });
  expect((await tenants()).toSorted()).toEqual(['default', 'other']);
  const { next_at } = (await database.api.queryText<{ next_at: string }>('SELECT next_at FROM alert_dispatch'))[0]!;
  expect(Date.parse(next_at)).toBeGreaterThan(Date.now() + 14_000_000);
  expect(await told()).toEqual(['a']);
});

test('a look that fails at its end has told nothing, and is done again', async () => {
  await raise('a');
  const broken = store.look('default', never, (input) => ({ ...dispatch(input), next_at: Number.NaN, gone: ['x'], flapping: ['no id'] }));
  await expect(broken).rejects.toThrow('uuid');
  expect([await told(), await tenants()]).toEqual([[], ['default']]);
  await look();
  expect(await told()).toEqual(['a']);
});

test('two that look at the same time tell it once', async () => {
  for (let round = 0; round < 10; round++) {
    await raise(`a${round}`);
    await Promise.all([look(), look()]);
  }
  expect(await told()).toEqual(Array.from({ length: 10 }, (_, round) => `a${round}`));
});

test('two dispatchers that both believe to lead tell each beginning and each end once, in order', async () => {
  const wakeUps = new WakeUps(database, 'dispatch-test', () => undefined);
  await wakeUps.start();
  const leaders = [1, 2].map(
    () =>
      new Dispatcher(
        store,
        { isLeader: true },
        wakeUps,
        () => never,
        (error) => {
          throw error;
        },
      ),
  );
  for (const leader of leaders) leader.start();
  const names = Array.from({ length: 20 }, (_, index) => `a${index}`);
  const ids = await Promise.all(
    names.map(async (name) => {
      const id = await raise(name);
      wakeUps.signal('alert_dispatch');
      return id;
    }),
  );
  await until('all are told', async () => (await told()).length === 20);
  for (const id of ids) await alerts.resolve({ tenant_id: 'default', id, by: 'test', note: null });
  wakeUps.signal('alert_dispatch');
  await until('all ends are told', async () => (await told()).length === 40);
  await Promise.all(leaders.map((leader) => leader.stop()));
  await wakeUps.stop();
  const lines = await told();
  expect(lines.slice(0, 20).toSorted()).toEqual(names.toSorted());
  expect(lines.slice(20).toSorted()).toEqual(names.map((name) => `-${name}`).toSorted());
  expect(await database.api.queryText('SELECT key FROM alert_groups')).toEqual([]);
});

test('a change that commits after the marks were read is looked at after it', async () => {
  await database.api.transaction(async (transaction) => {
    await transaction.queryText("INSERT INTO alert_marks (tenant_id) VALUES ('default')");
    await look();
  });
  expect(await tenants()).toEqual(['default']);
});

test('beginnings within the window are flapping, until the window has moved on', async () => {
  const flapping = { times: 2, seconds: 60 };
  for (let time = 0; time < 2; time++) {
    const id = await raise('a');
    await alerts.resolve({ tenant_id: 'default', id, by: 'test', note: null });
  }
  await raise('b');
  const seen = async () => {
    let found = new Map<string, number>();
    await store.look('default', flapping, (input) => {
      found = new Map([...input.flapping].map(([fingerprint, until]) => [fingerprint, until - input.now]));
      return dispatch(input);
    });
    return found;
  };
  const found = await seen();
  expect([...found.keys()]).toEqual(['a']);
  expect(found.get('a')).toBeLessThanOrEqual(60_000);
  await database.api.queryText("UPDATE alerts SET started_at = started_at - interval '61 s'");
  expect((await seen()).size).toBe(0);
});
