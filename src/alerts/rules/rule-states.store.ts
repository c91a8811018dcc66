import { Injectable } from '@nestjs/common';
import { Database, statement, type Queryable } from '../../database/database.js';
import { AlertsStore, type NewAlert } from '../alerts.store.js';
import type { Rule, RuleState } from './rule.js';

/** A state as it is stored: with its alert, once that is raised. */
export interface StoredState extends RuleState {
  alert_id: string | null;
}

type RuleRef = Pick<Rule, 'tenant_id' | 'id' | 'version'>;

/** A series that is in another state than before, and what that means for its alert. */
export interface StateChange {
  rule: RuleRef;
  series: string;
  after: StoredState | undefined;
  raise: NewAlert | undefined;
  /** The alert that is over. */
  resolve: string | undefined;
}

/** How the evaluation of a rule went. */
export interface RuleHealth extends RuleRef {
  series: number;
  error: string | null;
}

/** A rule, with `watched_since` in milliseconds. */
export type EvaluatedRule = Rule & { watched_ms: number };

const takeOverStatement = statement('take_over_alert_evaluation', 'UPDATE alert_evaluation SET owner = $1');
const beatStatement = statement<{ mine: boolean }>(
  'alert_evaluation_beat',
  'UPDATE alert_evaluation SET evaluated_at = now() WHERE owner = $1 RETURNING true AS mine',
);
const versionsStatement = statement<RuleRef>('alert_rule_versions', 'SELECT tenant_id, id, version FROM alert_rules WHERE enabled');
const rulesStatement = statement<EvaluatedRule>(
  'evaluated_alert_rules',
  `SELECT r.*, extract(epoch FROM watched_since)::float8 * 1000 AS watched_ms
FROM unnest($1::text[], $2::uuid[]) AS i(tenant_id, id) JOIN alert_rules r USING (tenant_id, id) WHERE enabled`,
);
const statesStatement = statement<StoredState & { rule_id: string; tenant_id: string }>(
  'alert_rule_states',
  `SELECT s.tenant_id, rule_id, series, labels, state, extract(epoch FROM since)::float8 * 1000 AS since, value, alert_id
FROM unnest($1::text[], $2::uuid[]) AS i(tenant_id, rule_id) JOIN alert_rule_states s USING (tenant_id, rule_id)`,
);
/** Nobody changes these rules until the transaction ends. */
const sameVersionStatement = statement<{ id: string }>(
  'lock_evaluated_alert_rules',
  `SELECT r.id FROM unnest($1::text[], $2::uuid[], $3::bigint[]) AS i(tenant_id, id, version) JOIN alert_rules r USING (tenant_id, id)
WHERE r.version = i.version AND r.enabled FOR SHARE OF r`,
);
const upsertStatement = statement(
  'put_alert_rule_states',
  `INSERT INTO alert_rule_states (tenant_id, rule_id, series, labels, state, since, value, alert_id)
SELECT tenant_id, rule_id, series, labels, state, to_timestamp(since / 1000), value, alert_id FROM jsonb_to_recordset($1)
  AS i(tenant_id text, rule_id uuid, series text, labels jsonb, state text, since float8, value float8, alert_id uuid)
ON CONFLICT (tenant_id, rule_id, series) DO UPDATE
SET labels = excluded.labels, state = excluded.state, since = excluded.since, value = excluded.value, alert_id = excluded.alert_id`,
);
const deleteStatement = statement(
  'drop_alert_rule_states',
  `DELETE FROM alert_rule_states s USING unnest($1::text[], $2::uuid[], $3::text[]) AS i(tenant_id, rule_id, series)
WHERE s.tenant_id = i.tenant_id AND s.rule_id = i.rule_id AND s.series = i.series`,
);
const healthStatement = statement(
  'keep_alert_rule_health',
  `UPDATE alert_rules r SET evaluated_version = i.version, series = i.series, last_error = i.error
FROM jsonb_to_recordset($1) AS i(tenant_id text, id uuid, version bigint, series integer, error text)
WHERE r.tenant_id = i.tenant_id AND r.id = i.id AND r.version = i.version`,
);
const defaultsStatement = statement<{ defaults: number }>('lock_alert_defaults', 'SELECT defaults FROM alert_evaluation FOR UPDATE');
const keepDefaultsStatement = statement('keep_alert_defaults', 'UPDATE alert_evaluation SET defaults = $1');
const insertDefaultsStatement = statement(
  'create_default_alert_rules',
  `INSERT INTO alert_rules (tenant_id, id, name, kind, origin, spec, created_by)
SELECT tenant_id, id, name, kind, 'default', spec, 'arkitect'
FROM jsonb_to_recordset($1) AS i(tenant_id text, id uuid, name text, kind text, spec jsonb)
ON CONFLICT (tenant_id, name) DO NOTHING`,
);

/** SQL of whoever evaluates rules. */
@Injectable()
export class RuleStatesStore {
  constructor(
    private readonly database: Database,
    private readonly alerts: AlertsStore,
  ) {}

  /** From now on nobody else writes. */
  async takeOver(owner: string): Promise<void> {
    await this.database.loops.query(takeOverStatement, [owner]);
  }

  /** Says that all rules have been evaluated. False when somebody else has taken over. */
  async beat(owner: string): Promise<boolean> {
    return (await this.database.loops.query(beatStatement, [owner])).length > 0;
  }

  /** Of all rules that are enabled. */
  versions(): Promise<RuleRef[]> {
    return this.database.loops.query(versionsStatement);
  }

  async load(refs: RuleRef[]): Promise<{ rules: EvaluatedRule[]; states: (StoredState & { rule_id: string; tenant_id: string })[] }> {
    const keys = [refs.map(({ tenant_id }) => tenant_id), refs.map(({ id }) => id)];
    const rules = await this.database.loops.query(rulesStatement, keys);
    return { rules, states: await this.database.loops.query(statesStatement, keys) };
  }

  /**
   * Stores states and raises and resolves their alerts in one transaction. Leaves out rules that somebody has changed meanwhile, and
   * answers what was stored, with the ids of the alerts; undefined when somebody else evaluates now.
   */
  apply(owner: string, changes: StateChange[]): Promise<StateChange[] | undefined> {
    return this.database.loops.transaction(async (transaction) => {
      if (!(await transaction.query(beatStatement, [owner])).length) return undefined;
      const valid = await this.unchanged(transaction, changes);
      await this.raise(transaction, valid);
      const kept = valid.flatMap(({ rule, after }) => (after ? [{ ...after, tenant_id: rule.tenant_id, rule_id: rule.id }] : []));
      if (kept.length) await transaction.query(upsertStatement, [JSON.stringify(kept)]);
      const gone = valid.filter(({ after }) => !after);
      if (gone.length)
        await transaction.query(deleteStatement, [
          gone.map(({ rule }) => rule.tenant_id),
          gone.map(({ rule }) => rule.id),
          gone.map(({ series }) => series),
        ]);
      const over = valid.flatMap(({ rule, resolve }) => (resolve ? [{ tenant_id: rule.tenant_id, id: resolve }] : []));
      if (over.length) await this.alerts.resolveAll(transaction, over, 'rule');
      return valid;
    });
  }

  async keepHealth(health: RuleHealth[]): Promise<void> {
    if (health.length) await this.database.loops.query(healthStatement, [JSON.stringify(health)]);
  }

  /** Creates those of `rules` that no leader has created before. Order is what tells: new ones are only ever appended. */
  async createDefaults(rules: (Pick<Rule, 'tenant_id' | 'id' | 'name' | 'kind'> & { spec: object })[]): Promise<void> {
    await this.database.loops.transaction(async (transaction) => {
      const [{ defaults }] = (await transaction.query(defaultsStatement)) as [{ defaults: number }];
      if (defaults >= rules.length) return;
      await transaction.query(insertDefaultsStatement, [JSON.stringify(rules.slice(defaults))]);
      await transaction.query(keepDefaultsStatement, [rules.length]);
    });
  }

  private async unchanged(transaction: Queryable, changes: StateChange[]): Promise<StateChange[]> {
    const rules = [...new Map(changes.map(({ rule }) => [rule.id, rule])).values()];
    const same = await transaction.query(sameVersionStatement, [
      rules.map(({ tenant_id }) => tenant_id),
      rules.map(({ id }) => id),
      rules.map(({ version }) => version),
    ]);
    const ids = new Set(same.map(({ id }) => id));
    return changes.filter(({ rule }) => ids.has(rule.id));
  }

  private async raise(transaction: Queryable, changes: StateChange[]): Promise<void> {
    const raised = changes.filter(({ raise }) => raise);
    if (!raised.length) return;
    const rows = await this.alerts.raiseAll(
      transaction,
      raised.map(({ raise }) => raise!),
    );
    // One that was active already keeps its id.
    const ids = new Map(rows.map(({ tenant_id, fingerprint, id }) => [`${tenant_id} ${fingerprint}`, id]));
    for (const { raise, after } of raised) after!.alert_id = ids.get(`${raise!.tenant_id} ${raise!.fingerprint}`)!;
  }
}
