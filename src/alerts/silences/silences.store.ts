import { Injectable } from '@nestjs/common';
import { Database, statement } from '../../database/database.js';
import type { Matcher } from '../matchers.js';
import type { Silence, SilenceStatus } from './silence.js';

const columns = `id, CASE WHEN ends_at <= now() THEN 'expired' WHEN starts_at > now() THEN 'pending' ELSE 'active' END AS status,
  matchers, starts_at, ends_at, comment, author, created_by, created_at, updated_at, version`;

const insertStatement = statement<Silence>(
  'create_silence',
  `WITH marked AS (INSERT INTO alert_marks (tenant_id) VALUES ($1))
INSERT INTO alert_silences (tenant_id, id, matchers, starts_at, ends_at, comment, author, created_by)
SELECT $1, $2, $3, coalesce($4, now()), $5, $6, $7, $8
WHERE (SELECT count(*) FROM (SELECT FROM alert_silences WHERE tenant_id = $1 AND ends_at > now() LIMIT $9) others) < $9
RETURNING ${columns}`,
);
const listStatement = statement<Silence>(
  'list_silences',
  `SELECT * FROM (SELECT ${columns} FROM alert_silences WHERE tenant_id = $1 AND ($2::uuid IS NULL OR id < $2)) s
WHERE $3::text[] IS NULL OR status = ANY($3) ORDER BY id DESC LIMIT $4`,
);
const getStatement = statement<Silence>('get_silence', `SELECT ${columns} FROM alert_silences WHERE tenant_id = $1 AND id = $2`);
const lockStatement = statement<Silence>(
  'lock_silence',
  `SELECT ${columns} FROM alert_silences WHERE tenant_id = $1 AND id = $2 FOR UPDATE`,
);
const changed = 'updated_at = now(), version = version + 1';
// A new end is warned of anew.
const updateStatement = statement<Silence>(
  'update_silence',
  `WITH marked AS (INSERT INTO alert_marks (tenant_id) VALUES ($1))
UPDATE alert_silences SET matchers = $3, starts_at = $4, ends_at = $5, comment = $6, ${changed},
  warned_at = CASE WHEN date_trunc('milliseconds', ends_at) = $5 THEN warned_at END
WHERE tenant_id = $1 AND id = $2 RETURNING ${columns}`,
);
const expireStatement = statement<Silence>(
  'expire_silence',
  `WITH marked AS (INSERT INTO alert_marks (tenant_id) VALUES ($1))
UPDATE alert_silences SET starts_at = least(starts_at, now()), ends_at = now(), ${changed}
WHERE tenant_id = $1 AND id = $2 RETURNING ${columns}`,
);
// One that is shorter than the warning is long was made by somebody who knows when it ends.
const endingStatement = statement<Silence & { tenant_id: string }>(
  'silences_that_end',
  `SELECT tenant_id, ${columns} FROM alert_silences
WHERE ends_at > now() AND ends_at <= now() + make_interval(mins => $1) AND starts_at <= now() AND warned_at IS NULL
  AND ends_at - starts_at > make_interval(mins => $1) ORDER BY ends_at LIMIT 500`,
);
const warnedStatement = statement('silence_warned', 'UPDATE alert_silences SET warned_at = now() WHERE tenant_id = $1 AND id = $2');
const pruneStatement = statement<{ id: string }>(
  'prune_silences',
  `DELETE FROM alert_silences s USING (
  SELECT tenant_id, id FROM alert_silences WHERE ends_at < now() - make_interval(days => $1) ORDER BY ends_at LIMIT $2
) old WHERE s.tenant_id = old.tenant_id AND s.id = old.id RETURNING s.id`,
);

export interface NewSilence {
  tenant_id: string;
  id: string;
  matchers: Matcher[];
  /** Null: now. */
  starts_at: string | null;
  ends_at: string;
  comment: string;
  author: string;
  created_by: string;
}

type Change = Pick<Silence, 'matchers' | 'starts_at' | 'ends_at' | 'comment'>;

/** SQL of silences. Each change marks that there may be something to tell. */
@Injectable()
export class SilencesStore {
  constructor(private readonly database: Database) {}

  /** Undefined when `most` are not over already. */
  async create(silence: NewSilence, most: number): Promise<Silence | undefined> {
    const { tenant_id, id, matchers, starts_at, ends_at, comment, author, created_by } = silence;
    const values = [tenant_id, id, JSON.stringify(matchers), starts_at, ends_at, comment, author, created_by, most];
    return (await this.database.api.query(insertStatement, values))[0];
  }

  list(tenantId: string, cursor: string | undefined, status: SilenceStatus[] | undefined, limit: number): Promise<Silence[]> {
    return this.database.api.query(listStatement, [tenantId, cursor ?? null, status ?? null, limit]);
  }

  async get(tenantId: string, id: string): Promise<Silence | undefined> {
    return (await this.database.api.query(getStatement, [tenantId, id]))[0];
  }

  /** `change` says what becomes of the silence as it is, `expired` to end it now, and throws to leave it so. Undefined when there is none. */
  change(tenantId: string, id: string, change: (silence: Silence) => Change | 'expired'): Promise<Silence | undefined> {
    return this.database.api.transaction(async (transaction) => {
      const [silence] = await transaction.query(lockStatement, [tenantId, id]);
      if (!silence) return undefined;
      const next = change(silence);
      if (next === 'expired') return (await transaction.query(expireStatement, [tenantId, id]))[0];
      const { matchers, starts_at, ends_at, comment } = next;
      const values = [tenantId, id, JSON.stringify(matchers), starts_at, ends_at, comment];
      return (await transaction.query(updateStatement, values))[0];
    });
  }

  /** Active ones of all tenants that end within so many minutes, and of which nobody was warned. */
  ending(minutes: number): Promise<(Silence & { tenant_id: string })[]> {
    return this.database.loops.query(endingStatement, [minutes]);
  }

  async warned(tenantId: string, id: string): Promise<void> {
    await this.database.loops.query(warnedStatement, [tenantId, id]);
  }

  /** One batch; true when there may be more. */
  async prune(days: number, limit: number): Promise<boolean> {
    return (await this.database.loops.query(pruneStatement, [days, limit])).length === limit;
  }
}
