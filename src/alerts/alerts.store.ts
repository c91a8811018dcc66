import { Injectable } from '@nestjs/common';
import { Database, statement, type Queryable } from '../database/database.js';
import type { Alert, AlertHistoryLine } from './alert.js';
import { listAlertsQuery, type AlertFilters } from './alerts-query.js';

/** A condition as whoever raises it describes it. */
export type NewAlert = Pick<
  Alert,
  'tenant_id' | 'id' | 'fingerprint' | 'name' | 'severity' | 'source' | 'labels' | 'annotations' | 'runbook_url' | 'value' | 'created_by'
> & {
  /** RFC 3339. Without: now. */
  started_at?: string | null;
  expires_in_seconds: number | null;
};

/** An alert after a change, and what it was before. */
export type ChangedAlert = Alert & { was: Alert['status'] };

/** Which alert, for whom, and what is said of it. */
export interface AlertChange {
  tenant_id: string;
  id: string;
  by: string;
  note: string | null;
}

/**
 * Writes the history and the event of all rows of the CTE `changed`, and marks that there is something to tell; `step` and `action` are SQL
 * expressions over `c`, `by`, `note` and `isNews`, too.
 */
function told(step: string, action: string, by: string, { note = 'NULL', isNews = 'true' } = {}): string {
  return `kept AS (
  INSERT INTO alert_history (tenant_id, alert_id, action, by, note) SELECT c.tenant_id, c.id, ${step}, ${by}, ${note} FROM changed c WHERE ${step} IS NOT NULL
), recorded AS (
  INSERT INTO events (tenant_id, task_id, action, log) SELECT c.tenant_id, c.id, ${action}, to_jsonb(c) - 'created' FROM changed c
), marked AS (
  INSERT INTO alert_marks (tenant_id) SELECT DISTINCT c.tenant_id FROM changed c WHERE ${isNews}
)`;
}

// The row as it was before this statement. Severity decides which routes an alert takes; what else may change does not.
const isAnother = `c.created OR c.severity <> (SELECT a.severity FROM alerts a WHERE a.tenant_id = c.tenant_id AND a.id = c.id)`;

const raisedColumns =
  'tenant_id, id, fingerprint, name, severity, source, labels, annotations, runbook_url, value, created_by, started_at, expires_at';

/** What is to be done with the rows that `source` gives: new alerts, or those that are active brought up to date. */
function raising(source: string): string {
  return `WITH changed AS (
  INSERT INTO alerts AS a (${raisedColumns})
  ${source}
  ON CONFLICT (tenant_id, fingerprint) WHERE status <> 'resolved' DO UPDATE
  SET severity = excluded.severity, annotations = excluded.annotations, runbook_url = excluded.runbook_url, value = excluded.value,
      expires_at = excluded.expires_at, updated_at = now(), version = a.version + 1
  RETURNING a.*, a.version = 1 AS created
), ${told("CASE WHEN c.created THEN 'created' END", "CASE WHEN c.created THEN 'alert_created' ELSE 'alert_updated' END", 'c.created_by', { isNews: isAnother })}
SELECT * FROM changed`;
}

const raiseStatement = statement<Alert & { created: boolean }>(
  'raise_alert',
  raising('VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, coalesce($12::timestamptz, now()), now() + make_interval(secs => $13))'),
);

const raiseAllStatement = statement<Alert & { created: boolean }>(
  'raise_alerts',
  raising(`SELECT tenant_id, id, fingerprint, name, severity, source, labels, annotations, runbook_url, value, created_by,
         coalesce(started_at, now()), now() + make_interval(secs => expires_in_seconds)
  FROM jsonb_to_recordset($1) AS i(tenant_id text, id uuid, fingerprint text, name text, severity text, source text, labels jsonb,
    annotations jsonb, runbook_url text, value float8, created_by text, started_at timestamptz, expires_in_seconds float8)`),
);

const touched = 'updated_at = now(), version = a.version + 1';

const acknowledgeStatement = statement<ChangedAlert>(
  'acknowledge_alert',
  `WITH changed AS (
  UPDATE alerts a SET status = 'acknowledged', acknowledged_at = now(), acknowledged_by = $3,
                      acknowledged_until = now() + make_interval(secs => $5), ${touched}
  WHERE tenant_id = $1 AND id = $2 AND status <> 'resolved'
  RETURNING a.*
), ${told("'acknowledged'", "'alert_acknowledged'", '$3', { note: '$4::text' })}
SELECT c.*, (SELECT a.status FROM alerts a WHERE a.tenant_id = c.tenant_id AND a.id = c.id) AS was FROM changed c`,
);

const resolveStatement = statement<ChangedAlert>(
  'resolve_alert',
  `WITH changed AS (
  UPDATE alerts a SET status = 'resolved', resolved_at = now(), resolved_by = $3, ${touched}
  WHERE tenant_id = $1 AND id = $2 AND status <> 'resolved'
  RETURNING a.*
), ${told("'resolved'", "'alert_resolved'", '$3', { note: '$4::text' })}
SELECT c.*, (SELECT a.status FROM alerts a WHERE a.tenant_id = c.tenant_id AND a.id = c.id) AS was FROM changed c`,
);

const resolveSameStatement = statement<Alert>(
  'resolve_same_alerts',
  `WITH changed AS (
  UPDATE alerts a SET status = 'resolved', resolved_at = now(), resolved_by = $3, ${touched}
  WHERE tenant_id = $1 AND fingerprint = ANY($2::text[]) AND status <> 'resolved'
  RETURNING a.*
), ${told("'resolved'", "'alert_resolved'", '$3')}
SELECT * FROM changed`,
);

const resolveAllStatement = statement(
  'resolve_alerts',
  `WITH changed AS (
  UPDATE alerts a SET status = 'resolved', resolved_at = now(), resolved_by = $3, ${touched}
  FROM unnest($1::text[], $2::uuid[]) AS i(tenant_id, id)
  WHERE a.tenant_id = i.tenant_id AND a.id = i.id AND a.status <> 'resolved'
  RETURNING a.*
), ${told("'resolved'", "'alert_resolved'", '$3')}
SELECT`,
);

const byClock = "CASE c.status WHEN 'resolved' THEN 'expired' ELSE 'reopened' END";

const sweepStatement = statement<{ id: string }>(
  'sweep_alerts',
  `WITH due AS MATERIALIZED (
  -- Over the index of active alerts, which are few.
  SELECT tenant_id, id, coalesce(expires_at <= now(), false) AS is_over FROM alerts
  WHERE status <> 'resolved' AND (expires_at <= now() OR (status = 'acknowledged' AND acknowledged_until <= now()))
  LIMIT $1 FOR UPDATE SKIP LOCKED
), changed AS (
  UPDATE alerts a SET status = CASE WHEN due.is_over THEN 'resolved' ELSE 'open' END, acknowledged_until = NULL,
                      resolved_at = CASE WHEN due.is_over THEN now() END, resolved_by = CASE WHEN due.is_over THEN 'expiry' END, ${touched}
  FROM due WHERE a.tenant_id = due.tenant_id AND a.id = due.id
  RETURNING a.*
), ${told(byClock, "CASE c.status WHEN 'resolved' THEN 'alert_resolved' ELSE 'alert_updated' END", "'clock'")}
SELECT id FROM changed`,
);

const pruneStatement = statement<{ pruned: number }>(
  'prune_alerts',
  `WITH old AS (
  SELECT tenant_id, id FROM alerts WHERE status = 'resolved' AND resolved_at < now() - make_interval(days => $1) ORDER BY resolved_at LIMIT $2
), history_gone AS (
  DELETE FROM alert_history h USING old WHERE h.tenant_id = old.tenant_id AND h.alert_id = old.id
), gone AS (
  DELETE FROM alerts a USING old WHERE a.tenant_id = old.tenant_id AND a.id = old.id RETURNING 1
)
SELECT count(*) AS pruned FROM gone`,
);

const getStatement = statement<Alert>('get_alert', 'SELECT * FROM alerts WHERE tenant_id = $1 AND id = $2');

const historyStatement = statement<AlertHistoryLine>(
  'alert_history',
  'SELECT id, action, by, note, at FROM alert_history WHERE tenant_id = $1 AND alert_id = $2 AND id > $3 ORDER BY id LIMIT $4',
);

const statsStatement = statement<{ kind: 'status' | 'severity' | 'name'; key: string; count: number }>(
  'alert_stats',
  `WITH own AS (SELECT status, severity, name FROM alerts WHERE tenant_id = $1 AND (status <> 'resolved' OR resolved_at > now() - make_interval(days => $2)))
SELECT 'status' AS kind, status AS key, count(*) AS count FROM own GROUP BY status
UNION ALL SELECT 'severity', severity, count(*) FROM own WHERE status <> 'resolved' GROUP BY severity
UNION ALL (SELECT 'name', name, count(*) FROM own GROUP BY name ORDER BY count(*) DESC, name LIMIT 10)`,
);

const timesStatement = statement<{ mtta: number | null; mttr: number | null }>(
  'alert_times',
  `SELECT avg(extract(epoch FROM acknowledged_at - started_at))::float8 AS mtta, avg(extract(epoch FROM resolved_at - started_at))::float8 AS mttr
FROM alerts WHERE tenant_id = $1 AND started_at > now() - make_interval(days => $2)`,
);

/** SQL of alerts. Each change is one statement that also writes its history and its event. */
@Injectable()
export class AlertsStore {
  constructor(private readonly database: Database) {}

  /** A new alert, or the active one of the same fingerprint with what is new of it. */
  async raise(alert: NewAlert): Promise<Alert & { created: boolean }> {
    const { tenant_id, id, labels, annotations, name, severity, source, runbook_url, value, created_by } = alert;
    const [row] = await this.database.api.query(raiseStatement, [
      tenant_id,
      id,
      alert.fingerprint,
      name,
      severity,
      source,
      JSON.stringify(labels),
      JSON.stringify(annotations),
      runbook_url,
      value,
      created_by,
      alert.started_at ?? null,
      alert.expires_in_seconds,
    ]);
    return row!;
  }

  /** The same of many, in the transaction of whoever raises them. No two of the same fingerprint. */
  raiseAll(transaction: Queryable, alerts: NewAlert[]): Promise<(Alert & { created: boolean })[]> {
    return transaction.query(raiseAllStatement, [JSON.stringify(alerts)]);
  }

  /** Raises some and ends the active ones of other fingerprints, both or neither. Answers those that are new, and those that have ended. */
  exchange(tenantId: string, alerts: NewAlert[], over: string[], by: string): Promise<{ created: Alert[]; resolved: Alert[] }> {
    return this.database.api.transaction(async (transaction) => {
      const raised = alerts.length > 0 ? await this.raiseAll(transaction, alerts) : [];
      const resolved = over.length > 0 ? await transaction.query(resolveSameStatement, [tenantId, over, by]) : [];
      return { created: raised.filter(({ created }) => created), resolved };
    });
  }

  /** Those that are still active, in the transaction of whoever knows that they are over. */
  async resolveAll(transaction: Queryable, alerts: Pick<Alert, 'id' | 'tenant_id'>[], by: string): Promise<void> {
    await transaction.query(resolveAllStatement, [alerts.map(({ tenant_id }) => tenant_id), alerts.map(({ id }) => id), by]);
  }

  /** Undefined when there is no such alert that is still active. `seconds`: after that it is open again; null is never. */
  async acknowledge({ tenant_id, id, by, note }: AlertChange, seconds: number | null): Promise<ChangedAlert | undefined> {
    return (await this.database.api.query(acknowledgeStatement, [tenant_id, id, by, note, seconds]))[0];
  }

  async resolve({ tenant_id, id, by, note }: AlertChange): Promise<ChangedAlert | undefined> {
    return (await this.database.api.query(resolveStatement, [tenant_id, id, by, note]))[0];
  }

  async get(tenantId: string, id: string): Promise<Alert | undefined> {
    return (await this.database.api.query(getStatement, [tenantId, id]))[0];
  }

  list(tenantId: string, filters: AlertFilters): Promise<Alert[]> {
    const { text, values } = listAlertsQuery(tenantId, filters);
    return this.database.api.queryText<Alert>(text, values);
  }

  history(tenantId: string, id: string, after: number, limit: number): Promise<AlertHistoryLine[]> {
    return this.database.api.query(historyStatement, [tenantId, id, after, limit]);
  }

  stats(tenantId: string, days: number): Promise<{ kind: 'status' | 'severity' | 'name'; key: string; count: number }[]> {
    return this.database.api.query(statsStatement, [tenantId, days]);
  }

  /** Mean seconds to the acknowledgement and to the end, of alerts of the last `days`. */
  async times(tenantId: string, days: number): Promise<{ mtta: number | null; mttr: number | null }> {
    return (await this.database.api.query(timesStatement, [tenantId, days]))[0]!;
  }

  /** Ends what nobody has repeated, and opens what was acknowledged for long enough. Answers how many changed. */
  async sweep(limit: number): Promise<number> {
    return (await this.database.loops.query(sweepStatement, [limit])).length;
  }

  async prune(days: number, limit: number): Promise<number> {
    return (await this.database.loops.query(pruneStatement, [days, limit]))[0]!.pruned;
  }
}
