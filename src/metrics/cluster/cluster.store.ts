import { statement, type Database } from '../../database/database.js';
import type { ReplicaSample } from '../system/replica-sample.js';
import type { AlertRow, ClusterSnapshot, WaitingRow, WorkerRow } from './snapshot.js';

/** Of a line, only so many are looked at for the oldest: enough for all but one that mixes many queues. */
const lookAt = 1_000;

const oldestStatement = statement<WaitingRow>(
  'oldest_waiting',
  `SELECT waiting.tenant_id, waiting.queue, waiting.type, extract(epoch FROM now() - min(waiting.queued_at))::float8 AS seconds
FROM unnest($1::text[]) AS wanted(type), unnest(enum_range(NULL::task_priority)) AS p(priority), LATERAL (
  SELECT tenant_id, queue, type, queued_at FROM tasks
  WHERE status = 'queued' AND lease_token IS NULL AND type = wanted.type AND priority = p.priority
  ORDER BY id LIMIT ${lookAt}
) waiting
GROUP BY waiting.tenant_id, waiting.queue, waiting.type`,
);

/** One statement, as an idle cluster is looked at all day. */
const presentStatement = statement<Present>(
  'present_in_cluster',
  `WITH gone AS (DELETE FROM replica_samples WHERE at < now() - interval '10 minutes')
SELECT (SELECT coalesce(jsonb_agg(w), '[]') FROM (
         SELECT tenant_id, CASE WHEN last_beat_at < now() - interval '1 minute' THEN 'gone' ELSE state END AS state, types, queues, slots, in_flight
         FROM workers) w) AS workers,
       (SELECT coalesce(jsonb_agg(sample ORDER BY replica_id), '[]') FROM replica_samples WHERE at > now() - interval '30 seconds') AS replicas,
       (SELECT coalesce(jsonb_agg(a), '[]') FROM (
         SELECT tenant_id, severity, status, count(*) AS count FROM alerts WHERE status <> 'resolved' GROUP BY tenant_id, severity, status) a) AS alerts`,
);

const sampleStatement = statement(
  'keep_replica_sample',
  `INSERT INTO replica_samples (replica_id, sample) VALUES ($1, $2)
ON CONFLICT (replica_id) DO UPDATE SET sample = excluded.sample, at = now()`,
);

const leaveStatement = statement('forget_replica', 'DELETE FROM replica_samples WHERE replica_id = $1');

const keepSnapshotStatement = statement('keep_snapshot', 'UPDATE metrics_state SET snapshot = $1, snapshot_at = now()');
const snapshotStatement = statement<{ snapshot: ClusterSnapshot | null }>('read_snapshot', 'SELECT snapshot FROM metrics_state');

/** Who and what is there. */
export interface Present {
  workers: WorkerRow[];
  replicas: ReplicaSample[];
  alerts: AlertRow[];
}

/** SQL of what is known of the whole cluster. */
export class ClusterStore {
  constructor(private readonly database: Database) {}

  /** Of each queue and type of these types the task that has waited longest. */
  oldestWaiting(types: string[]): Promise<WaitingRow[]> {
    return this.database.loops.query(oldestStatement, [types]);
  }

  /** Workers, replicas that are alive, and alerts that are not resolved. */
  async present(): Promise<Present> {
    return (await this.database.loops.query(presentStatement))[0]!;
  }

  async keepSample(replicaId: string, sample: ReplicaSample): Promise<void> {
    await this.database.loops.query(sampleStatement, [replicaId, JSON.stringify(sample)]);
  }

  async leave(replicaId: string): Promise<void> {
    await this.database.loops.query(leaveStatement, [replicaId]);
  }

  /** A `ClusterSnapshot` as JSON. */
  async keepSnapshot(snapshot: string): Promise<void> {
    await this.database.loops.query(keepSnapshotStatement, [snapshot]);
  }

  async snapshot(): Promise<ClusterSnapshot | undefined> {
    return (await this.database.loops.query(snapshotStatement))[0]?.snapshot ?? undefined;
  }
}
