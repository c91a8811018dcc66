import { randomUUIDv7 } from 'node:crypto';
import { statement, type Database, type Queryable } from '../database/database.js';
import { firstConfig, type ConfigVersion, type FindVersion, type Overrides } from './overrides.js';

export interface CurrentConfig {
  version: number;
  overrides: Overrides;
}

/** A version to be made; `event` is what the event log says of it. */
export type DraftVersion = Omit<ConfigVersion, 'version' | 'at'> & { event: object };

export interface Acknowledgement {
  replica_id: string;
  /** Since when it applies the version, or a later one; null: not yet. */
  applied_at: string | null;
  /** What it applies now. */
  version: number | null;
  restart_keys: string[];
  refused_keys: string[];
}

/** What a replica says of itself. */
export interface ReplicaDescription {
  started_at: string;
  version: string;
  host: string;
  pid: number;
  /** Null: it does not lead. */
  leading_since: string | null;
}

/** A replica as the others see it. What an older version does not say of itself is null. */
export interface ReplicaRow {
  replica_id: string;
  started_at: string | null;
  version: string | null;
  host: string | null;
  pid: number | null;
  leading_since: string | null;
  seen_at: string;
  /** Since its last sign of life. */
  seen_seconds_ago: number;
  /** The version of the configuration that it applies. */
  config_version: number | null;
  /** p99 in seconds; null without metrics. */
  event_loop_lag: number | null;
}

interface Beat {
  /** The latest there is. */
  version: number;
  /** The latest that the replica has acknowledged; null when it was taken for gone. */
  acknowledged: number | null;
}

const lockNumber = 4_711_000_016;
/** A replica that has not said anything for so long is gone. */
const goneAfterSeconds = 45;
const keptVersions = 10_000;

const lockStatement = statement('config_lock', 'SELECT pg_advisory_xact_lock($1::bigint)');
const currentStatement = statement<CurrentConfig>(
  'config_current',
  'SELECT version, overrides FROM config_versions ORDER BY version DESC LIMIT 1',
);
const clockStatement = statement<{ now: string }>('config_clock', 'SELECT clock_timestamp() AS now');
const columns = 'version, changes, overrides, reason, by, at, expires_at, reverted_from, rolled_back_to';
const findStatement = statement<ConfigVersion>('config_version', `SELECT ${columns} FROM config_versions WHERE version = $1`);
const listStatement = statement<ConfigVersion>(
  'config_versions',
  `SELECT ${columns} FROM config_versions WHERE version < $1 ORDER BY version DESC LIMIT $2`,
);
const addStatement = statement<ConfigVersion>(
  'add_config_version',
  `WITH added AS (
  INSERT INTO config_versions (version, changes, overrides, reason, by, at, expires_at, reverted_from, rolled_back_to)
  VALUES ($1, $2::jsonb, $3::jsonb, $4, $5, clock_timestamp(), $6, $7, $8) RETURNING ${columns}
), told AS (
  INSERT INTO events (tenant_id, task_id, action, log) SELECT 'default', $9::uuid, 'config_updated', $10::jsonb FROM added
)
SELECT * FROM added`,
);
const beatStatement = statement<Beat>(
  'config_beat',
  `WITH seen AS (
  INSERT INTO config_replicas (replica_id, started_at, version, host, pid, leading_since) VALUES ($1, $2, $3, $4, $5, $6)
  ON CONFLICT (replica_id) DO UPDATE SET seen_at = now(), leading_since = excluded.leading_since
)
SELECT coalesce(max(version), 0) AS version, (SELECT max(a.version) FROM config_acknowledgements a WHERE a.replica_id = $1) AS acknowledged
FROM config_versions`,
);
const acknowledgeStatement = statement(
  'acknowledge_config',
  `INSERT INTO config_acknowledgements (replica_id, version, restart_keys, refused_keys) VALUES ($1, $2, $3, $4)
   ON CONFLICT (replica_id, version) DO UPDATE SET restart_keys = excluded.restart_keys, refused_keys = excluded.refused_keys`,
);
const leaveStatement = statement('leave_config', 'DELETE FROM config_replicas WHERE replica_id = $1');
const acknowledgementsStatement = statement<Acknowledgement>(
  'config_acknowledgements',
  `SELECT r.replica_id, since.at AS applied_at, latest.version, coalesce(latest.restart_keys, '{}') AS restart_keys,
          coalesce(latest.refused_keys, '{}') AS refused_keys
   FROM config_replicas r
   LEFT JOIN LATERAL (
     SELECT min(a.at) AS at FROM config_acknowledgements a WHERE a.replica_id = r.replica_id AND a.version >= $1
   ) since ON true
   LEFT JOIN LATERAL (
     SELECT a.version, a.restart_keys, a.refused_keys FROM config_acknowledgements a
     WHERE a.replica_id = r.replica_id ORDER BY a.version DESC LIMIT 1
   ) latest ON true
   WHERE r.seen_at > now() - make_interval(secs => $2)
   ORDER BY r.replica_id`,
);
const replicasStatement = statement<ReplicaRow>(
  'config_replicas',
  `SELECT r.replica_id, r.started_at, r.version, r.host, r.pid, r.leading_since, r.seen_at,
          round(greatest(0, extract(epoch FROM now() - r.seen_at))::numeric, 3)::float8 AS seen_seconds_ago,
          (SELECT max(a.version) FROM config_acknowledgements a WHERE a.replica_id = r.replica_id) AS config_version,
          (SELECT (s.sample->'system_health'->>'event_loop_lag')::float8 FROM replica_samples s WHERE s.replica_id = r.replica_id) AS event_loop_lag
   FROM config_replicas r WHERE r.seen_at > now() - make_interval(secs => $1) ORDER BY r.replica_id`,
);
const pruneStatement = statement(
  'prune_config',
  `WITH replicas AS (
  DELETE FROM config_replicas WHERE seen_at < now() - make_interval(secs => $1 * 20)
), bound AS (
  SELECT max(version) - $2 AS version FROM config_versions
), old AS (
  DELETE FROM config_acknowledgements a USING bound WHERE a.version < bound.version
    AND EXISTS (SELECT FROM config_acknowledgements n WHERE n.replica_id = a.replica_id AND n.version > a.version)
)
DELETE FROM config_versions v USING bound WHERE v.version < bound.version`,
);

/** Versions of the configuration, and which replicas apply them. */
export class ConfigStore {
  constructor(private readonly database: Database) {}

  async current(db: Queryable = this.database.api): Promise<CurrentConfig> {
    return (await db.query(currentStatement))[0] ?? firstConfig;
  }

  async find(version: number, db: Queryable = this.database.api): Promise<ConfigVersion | undefined> {
    return (await db.query(findStatement, [version]))[0];
  }

  /** Newest first, those before `before`. */
  list(before: number, limit: number): Promise<ConfigVersion[]> {
    return this.database.api.query(listStatement, [before, limit]);
  }

  /** One after the other over the whole cluster: `decide` sees what nobody changes meanwhile. Undefined when it wants nothing. */
  change(
    decide: (current: CurrentConfig, now: string, find: FindVersion) => Promise<DraftVersion | undefined>,
  ): Promise<ConfigVersion | undefined> {
    return this.database.api.transaction(async (transaction) => {
      await transaction.query(lockStatement, [lockNumber]);
      const current = await this.current(transaction);
      const [clock] = await transaction.query(clockStatement);
      const draft = await decide(current, clock!.now, (version) => this.find(version, transaction));
      if (!draft) return undefined;
      const { changes, overrides, reason, by, expires_at, reverted_from, rolled_back_to, event } = draft;
      const version = current.version + 1;
      const [added] = await transaction.query(addStatement, [
        version,
        JSON.stringify(changes),
        JSON.stringify(overrides),
        reason,
        by,
        expires_at,
        reverted_from,
        rolled_back_to,
        randomUUIDv7(),
        JSON.stringify({ version, ...event }),
      ]);
      return added;
    });
  }

  /** This replica lives. */
  async beat(replicaId: string, about: Partial<ReplicaDescription> = {}): Promise<Beat> {
    const { started_at, version, host, pid, leading_since } = about;
    return (await this.database.loops.query(beatStatement, [replicaId, started_at, version, host, pid, leading_since]))[0]!;
  }

  async acknowledge(replicaId: string, version: number, restartKeys: string[], refusedKeys: string[]): Promise<void> {
    await this.database.loops.query(acknowledgeStatement, [replicaId, version, restartKeys, refusedKeys]);
  }

  async leave(replicaId: string): Promise<void> {
    await this.database.loops.query(leaveStatement, [replicaId]);
  }

  /** Of every replica that runs. */
  acknowledgements(version: number): Promise<Acknowledgement[]> {
    return this.database.api.query(acknowledgementsStatement, [version, goneAfterSeconds]);
  }

  /** Those that run. */
  replicas(): Promise<ReplicaRow[]> {
    return this.database.api.query(replicasStatement, [goneAfterSeconds]);
  }

  async prune(): Promise<void> {
    await this.database.loops.query(pruneStatement, [goneAfterSeconds, keptVersions]);
  }
}
