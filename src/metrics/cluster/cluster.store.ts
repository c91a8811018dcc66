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

const workersStatement = statement<WorkerRow>(
  'workers_by_state',
  `SELECT tenant_id, CASE WHEN last_beat_at < now() - interval '1 minute' THEN 'gone' ELSE state END AS state, types, queues, slots, in_flight FROM workers`,
);

const alertsStatement = statement<AlertRow>(
  'alerts_by_severity',
  "SELECT tenant_id, severity, status, count(*) AS count FROM alerts WHERE status <> 'resolved' GROUP BY tenant_id, severity, status",
);

const sampleStatement = statement(
  'keep_replica_sample',
  `INSERT INTO replica_samples (replica_id, sample) VALUES ($1, $2)
ON CONFLICT (replica_id) DO UPDATE SET sample = excluded.sample, at = now()`,
);

const samplesStatement = statement<{ replica_id: string; sample: ReplicaSample; at: string }>(
  'replica_samples',
  `WITH gone AS (DELETE FROM replica_samples WHERE at < now() - interval '10 minutes')
SELECT replica_id, sample, at FROM replica_samples WHERE at > now() - interval '30 seconds' ORDER BY replica_id`,
);

const leaveStatement = statement('forget_replica', 'DELETE FROM replica_samples WHERE replica_id = $1');

const keepSnapshotStatement = statement('keep_snapshot', 'UPDATE metrics_state SET snapshot = $1, snapshot_at = now()');
const snapshotStatement = statement<{ snapshot: ClusterSnapshot | null }>('read_snapshot', 'SELECT snapshot FROM metrics_state');

/** SQL of what is known of the whole cluster. */
export class ClusterStore {
  constructor(private readonly database: Database) {}

  /** Of each queue and type of these types the task that has waited longest. */
  oldestWaiting(types: string[]): Promise<WaitingRow[]> {
    return this.database.loops.query(oldestStatement, [types]);
  }

  workers(): Promise<WorkerRow[]> {
    return this.database.loops.query(workersStatement);
  }

  /** Those that are not resolved. */
  alerts(): Promise<AlertRow[]> {
    return this.database.loops.query(alertsStatement);
  }

  async keepSample(replicaId: string, sample: ReplicaSample): Promise<void> {
    await this.database.loops.query(sampleStatement, [replicaId, JSON.stringify(sample)]);
  }

  async leave(replicaId: string): Promise<void> {
    await this.database.loops.query(leaveStatement, [replicaId]);
  }

  /** Of every replica that is alive. */
  replicas(): Promise<{ replica_id: string; sample: ReplicaSample; at: string }[]> {
    return this.database.loops.query(samplesStatement);
  }

  async keepSnapshot(snapshot: ClusterSnapshot): Promise<void> {
    await this.database.loops.query(keepSnapshotStatement, [JSON.stringify(snapshot)]);
  }

  async snapshot(): Promise<ClusterSnapshot | undefined> {
    return (await this.database.loops.query(snapshotStatement))[0]?.snapshot ?? undefined;
  }
}
