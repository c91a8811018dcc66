import { Injectable } from '@nestjs/common';
import { Database, statement, type Queryable } from '../../database/database.js';
import type { Alert } from '../alert.js';
import type { SilenceSpan } from '../silences/silence.js';
import type { Dispatch, DispatchInput } from './dispatch.js';
import type { Flapping } from './flapping.js';
import type { GroupState } from './grouping.js';
import { parts } from './notification.js';
import { noRouting, type Routing } from './routing.js';

const dueStatement = statement<{ tenants: string[]; wait_ms: number | null }>(
  'due_alert_dispatch',
  `SELECT coalesce(array_agg(DISTINCT tenant_id) FILTER (WHERE next_at <= clock_timestamp()), '{}') AS tenants,
  (extract(epoch FROM min(next_at) FILTER (WHERE next_at > clock_timestamp()) - clock_timestamp()) * 1000)::float8 AS wait_ms
FROM (SELECT tenant_id, next_at FROM alert_dispatch WHERE next_at IS NOT NULL
  UNION ALL SELECT tenant_id, '-infinity' FROM alert_marks GROUP BY tenant_id) looks`,
);

// Whoever else believes to lead waits here, and then finds all told.
const lockStatement = statement(
  'lock_alert_dispatch',
  'INSERT INTO alert_dispatch AS d (tenant_id) VALUES ($1) ON CONFLICT (tenant_id) DO UPDATE SET next_at = d.next_at',
);
const takeMarksStatement = statement('take_alert_marks', 'DELETE FROM alert_marks WHERE tenant_id = $1');
const nowStatement = statement<{ now: number }>(
  'alert_dispatch_now',
  'SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now',
);
const activeStatement = statement<Alert>('active_alerts', "SELECT * FROM alerts WHERE tenant_id = $1 AND status <> 'resolved'");
const resolvedStatement = statement<Alert>('resolved_alerts', 'SELECT * FROM alerts WHERE tenant_id = $1 AND id = ANY($2::uuid[])');
const matchedStatement = statement<MatchedAlert>(
  'matched_alerts',
  "SELECT id, name, severity, source, labels FROM alerts WHERE tenant_id = $1 AND status <> 'resolved' ORDER BY id",
);
const groupsStatement = statement<{ state: GroupState }>('alert_groups', 'SELECT state FROM alert_groups WHERE tenant_id = $1');
const silencesStatement = statement<SilenceSpan>(
  'silences_to_come',
  'SELECT id, matchers, starts_at, ends_at FROM alert_silences WHERE tenant_id = $1 AND ends_at > clock_timestamp() ORDER BY id',
);
const routingStatement = statement<{ routing: Routing }>('alert_routing', 'SELECT routing FROM alert_routes WHERE tenant_id = $1');
const channelsStatement = statement<{ name: string }>(
  'enabled_alert_channels',
  'SELECT name FROM alert_channels WHERE tenant_id = $1 AND enabled',
);

// Ids are UUIDv7, so the index says what has begun lately.
const flappingStatement = statement<{ fingerprint: string; until: number }>(
  'flapping_alerts',
  `SELECT fingerprint, ((extract(epoch FROM (array_agg(started_at ORDER BY started_at DESC))[$3::int]) + $4) * 1000)::float8 AS until
FROM alerts WHERE tenant_id = $1 AND id >= $2::uuid AND started_at > clock_timestamp() - make_interval(secs => $4)
GROUP BY fingerprint HAVING count(*) >= $3::int`,
);

const putGroupsStatement = statement(
  'put_alert_groups',
  `INSERT INTO alert_groups (tenant_id, key, state) SELECT $1, state->>'key', state FROM jsonb_array_elements($2::jsonb) state
ON CONFLICT (tenant_id, key) DO UPDATE SET state = excluded.state`,
);
const dropGroupsStatement = statement('drop_alert_groups', 'DELETE FROM alert_groups WHERE tenant_id = $1 AND key = ANY($2::text[])');

/** A UUIDv7 by the microsecond, so that what one channel is told of a group keeps its order. */
const notificationId = `(lpad(to_hex(micros / 1000), 12, '0') || '7' || lpad(to_hex(micros % 1000), 3, '0')
    || '8' || substr(md5(random()::text || c.id), 1, 15))::uuid`;

const tellStatement = statement(
  'tell_alert_channels',
  `INSERT INTO alert_notifications (tenant_id, id, channel_id, group_key, content)
SELECT $1, ${notificationId}, c.id, n.told->>'group_key', n.told->'content'
FROM jsonb_array_elements($2::jsonb) WITH ORDINALITY n (told, place)
CROSS JOIN LATERAL (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint + n.place AS micros) id
JOIN alert_channels c ON c.tenant_id = $1 AND c.enabled AND n.told->'channels' ? c.name`,
);
const flappedStatement = statement(
  'alerts_flap',
  "INSERT INTO alert_history (tenant_id, alert_id, action, by) SELECT $1, id, 'flapping', 'clock' FROM unnest($2::uuid[]) id",
);
const nextStatement = statement(
  'next_alert_dispatch',
  'UPDATE alert_dispatch SET next_at = to_timestamp($2::float8 / 1000) WHERE tenant_id = $1',
);

export type MatchedAlert = Pick<Alert, 'id' | 'name' | 'severity' | 'source' | 'labels'>;

/** What decides over an alert, beside other alerts. */
export type Rules = Pick<DispatchInput, 'routing' | 'silences' | 'channels' | 'now'>;

/** Messages to the database have a bounded size, whatever there is to tell. */
const batch = 500;

/** What is told is written in the same transaction as what has been told. */
@Injectable()
export class DispatchStore {
  constructor(private readonly database: Database) {}

  /** Tenants to look at, and how long until the next one is. */
  async due(): Promise<{ tenants: string[]; wait_ms: number | null }> {
    return (await this.database.loops.query(dueStatement))[0]!;
  }

  /** One look at one tenant. Answers whether there is something to send. */
  look(tenantId: string, flapping: Flapping, decide: (input: DispatchInput) => Dispatch): Promise<boolean> {
    return this.database.loops.transaction(async (transaction) => {
      await transaction.query(lockStatement, [tenantId]);
      // Before the alerts are read: what is marked later is looked at later.
      await transaction.query(takeMarksStatement, [tenantId]);
      const result = decide(await readInput(transaction, tenantId, flapping));
      await write(transaction, tenantId, result);
      return result.notifications.length > 0;
    });
  }

  /** What a look would see now, but groups and flapping. */
  async read(tenantId: string): Promise<Rules> {
    return readRules(this.database.api, tenantId);
  }

  /** Active alerts, as far as matchers see them. */
  active(tenantId: string): Promise<MatchedAlert[]> {
    return this.database.api.query(matchedStatement, [tenantId]);
  }
}

async function readRules(db: Queryable, tenantId: string): Promise<Rules> {
  const [stored] = await db.query(routingStatement, [tenantId]);
  return {
    routing: stored?.routing ?? noRouting,
    silences: await db.query(silencesStatement, [tenantId]),
    channels: (await db.query(channelsStatement, [tenantId])).map(({ name }) => name),
    now: (await db.query(nowStatement))[0]!.now,
  };
}

async function readInput(db: Queryable, tenantId: string, { times, seconds }: Flapping): Promise<DispatchInput> {
  const rules = await readRules(db, tenantId);
  const active = await db.query(activeStatement, [tenantId]);
  const groups = (await db.query(groupsStatement, [tenantId])).map(({ state }) => state);
  const ids = new Set(active.map(({ id }) => id));
  const over = groups.flatMap(({ told }) => Object.keys(told)).filter((id) => !ids.has(id));
  const resolved = over.length > 0 ? await db.query(resolvedStatement, [tenantId, over]) : [];
  const since = firstIdAt(rules.now - seconds * 1_000);
  const flapping = times > 0 ? await db.query(flappingStatement, [tenantId, since, times, seconds]) : [];
  return {
    ...rules,
    alerts: [...active, ...resolved],
    groups,
    flapping: new Map(flapping.map(({ fingerprint, until }) => [fingerprint, until])),
  };
}

async function write(
  transaction: Queryable,
  tenantId: string,
  { changed, gone, notifications, flapping, next_at }: Dispatch,
): Promise<void> {
  for (const part of parts(changed, batch)) await transaction.query(putGroupsStatement, [tenantId, JSON.stringify(part)]);
  if (gone.length > 0) await transaction.query(dropGroupsStatement, [tenantId, gone]);
  for (const part of parts(notifications, batch)) await transaction.query(tellStatement, [tenantId, JSON.stringify(part)]);
  if (flapping.length > 0) await transaction.query(flappedStatement, [tenantId, flapping]);
  await transaction.query(nextStatement, [tenantId, next_at]);
}

/** Replicas' clocks make ids, the database's makes the times: some minutes between them do no harm. */
function firstIdAt(time: number): string {
  const hex = Math.max(0, Math.floor(time) - 300_000)
    .toString(16)
    .padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}
