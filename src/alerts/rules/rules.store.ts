import { Injectable } from '@nestjs/common';
import { Database, statement, type Queryable } from '../../database/database.js';
import { AlertsStore } from '../alerts.store.js';
import type { Rule, RuleDefinition } from './rule.js';

/** A rule with how it went. */
export type RuleRow = Rule & {
  /** When it was last evaluated as it is now. */
  last_evaluated_at: string | null;
  last_error: string | null;
  series: number | null;
  pending: number;
  firing: number;
  recovering: number;
};

export type NewRule = Pick<Rule, 'tenant_id' | 'id' | 'name' | 'enabled' | 'created_by'> & RuleDefinition;

/** What a change makes of a rule. `isAnother`: what is known of its series is of no use any more, and its alerts are over. */
export interface RuleChange {
  enabled: boolean;
  spec: object;
  isAnother: boolean;
}

const shown = (
  from: string,
  where: string,
) => `SELECT r.tenant_id, r.id, r.name, r.kind, r.origin, r.enabled, r.spec, r.watched_since, r.created_by, r.created_at, r.updated_at,
  r.version, s.pending, s.firing, s.recovering,
  CASE WHEN r.enabled AND r.evaluated_version = r.version THEN e.evaluated_at END AS last_evaluated_at,
  CASE WHEN r.enabled AND r.evaluated_version = r.version THEN r.last_error END AS last_error,
  CASE WHEN r.enabled AND r.evaluated_version = r.version THEN r.series END AS series
FROM ${from} r, alert_evaluation e, LATERAL (
  SELECT count(*) FILTER (WHERE state = 'pending') AS pending, count(*) FILTER (WHERE state = 'firing') AS firing,
         count(*) FILTER (WHERE state = 'recovering') AS recovering
  FROM alert_rule_states s WHERE s.tenant_id = r.tenant_id AND s.rule_id = r.id
) s ${where}`;

const insertStatement = statement<RuleRow>(
  'create_alert_rule',
  `WITH created AS (
  INSERT INTO alert_rules (tenant_id, id, name, kind, enabled, spec, created_by)
  SELECT $1, $2::uuid, $3, $4, $5::boolean, $6::jsonb, $7 WHERE (SELECT count(*) FROM alert_rules WHERE tenant_id = $1) < $8
  ON CONFLICT (tenant_id, name) DO NOTHING RETURNING *
)
${shown('created', '')}`,
);
const countStatement = statement<{ count: number }>('count_alert_rules', 'SELECT count(*) FROM alert_rules WHERE tenant_id = $1');
const listStatement = statement<RuleRow>(
  'list_alert_rules',
  shown('alert_rules', 'WHERE r.tenant_id = $1 AND ($2::uuid IS NULL OR r.id < $2) ORDER BY r.id DESC LIMIT $3'),
);
const getStatement = statement<RuleRow>('get_alert_rule', shown('alert_rules', 'WHERE r.tenant_id = $1 AND r.id = $2'));
const lockStatement = statement<Rule>('lock_alert_rule', 'SELECT * FROM alert_rules WHERE tenant_id = $1 AND id = $2 FOR UPDATE');
const updateStatement = statement(
  'update_alert_rule',
  `UPDATE alert_rules SET enabled = $3, spec = $4, updated_at = now(), version = version + 1,
  watched_since = CASE WHEN $5 THEN now() ELSE watched_since END
WHERE tenant_id = $1 AND id = $2`,
);
const alertsStatement = statement<{ tenant_id: string; id: string }>(
  'alerts_of_rule',
  'SELECT tenant_id, alert_id AS id FROM alert_rule_states WHERE tenant_id = $1 AND rule_id = $2 AND alert_id IS NOT NULL',
);
const forgetStatement = statement('forget_alert_rule_states', 'DELETE FROM alert_rule_states WHERE tenant_id = $1 AND rule_id = $2');
const deleteStatement = statement('delete_alert_rule', 'DELETE FROM alert_rules WHERE tenant_id = $1 AND id = $2');

/** SQL of rules as clients see them. */
@Injectable()
export class RulesStore {
  constructor(
    private readonly database: Database,
    private readonly alerts: AlertsStore,
  ) {}

  /** Undefined when the name is taken, or there are `max` rules. */
  async create({ tenant_id, id, name, kind, enabled, spec, created_by }: NewRule, max: number): Promise<RuleRow | undefined> {
    const values = [tenant_id, id, name, kind, enabled, JSON.stringify(spec), created_by, max];
    return (await this.database.api.query(insertStatement, values))[0];
  }

  async count(tenantId: string): Promise<number> {
    return (await this.database.api.query(countStatement, [tenantId]))[0]!.count;
  }

  list(tenantId: string, cursor: string | undefined, limit: number): Promise<RuleRow[]> {
    return this.database.api.query(listStatement, [tenantId, cursor ?? null, limit]);
  }

  async get(tenantId: string, id: string): Promise<RuleRow | undefined> {
    return (await this.database.api.query(getStatement, [tenantId, id]))[0];
  }

  /** `change` says what becomes of the rule as it is, and throws to leave it so. Undefined when there is none. */
  change(tenantId: string, id: string, change: (rule: Rule) => RuleChange): Promise<RuleRow | undefined> {
    return this.database.api.transaction(async (transaction) => {
      const [rule] = await transaction.query(lockStatement, [tenantId, id]);
      if (!rule) return undefined;
      const { enabled, spec, isAnother } = change(rule);
      const begins = isAnother || (enabled && !rule.enabled);
      await transaction.query(updateStatement, [tenantId, id, enabled, JSON.stringify(spec), begins]);
      if (isAnother || !enabled) await this.forget(transaction, tenantId, id);
      return (await transaction.query(getStatement, [tenantId, id]))[0];
    });
  }

  /** `check` throws to keep it. Answers whether there was one. */
  remove(tenantId: string, id: string, check: (rule: Rule) => void): Promise<boolean> {
    return this.database.api.transaction(async (transaction) => {
      const [rule] = await transaction.query(lockStatement, [tenantId, id]);
      if (!rule) return false;
      check(rule);
      await this.forget(transaction, tenantId, id);
      await transaction.query(deleteStatement, [tenantId, id]);
      return true;
    });
  }

  /** Whoever evaluates waits for the lock on the rule, and then finds another version of it. */
  private async forget(transaction: Queryable, tenantId: string, id: string): Promise<void> {
    const alerts = await transaction.query(alertsStatement, [tenantId, id]);
    if (alerts.length) await this.alerts.resolveAll(transaction, alerts, 'rule');
    await transaction.query(forgetStatement, [tenantId, id]);
  }
}
