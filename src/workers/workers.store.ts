import { Injectable } from '@nestjs/common';
import { Database, statement } from '../database/database.js';
import type { WorkerProfile, WorkerView } from './worker.js';

/** Rows of workers that nobody has heard of for this long go away. */
const forgetAfter = "interval '10 minutes'";

const connectStatement = statement(
  'connect_worker',
  `WITH announced AS (
  INSERT INTO worker_types (tenant_id, type) SELECT DISTINCT $1, unnest($7::text[])
  ON CONFLICT (tenant_id, type) DO UPDATE SET last_seen_at = now() WHERE worker_types.last_seen_at < now() - interval '1 hour'
)
INSERT INTO workers (tenant_id, id, name, session, door, replica_id, types, queues, slots, labels, sdk)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (tenant_id, id) DO UPDATE
SET session = excluded.session, state = 'connected', door = excluded.door, replica_id = excluded.replica_id, types = excluded.types,
    queues = excluded.queues, slots = excluded.slots, labels = excluded.labels, sdk = excluded.sdk, command = NULL,
    connected_at = now(), last_beat_at = now()`,
);

const beatStatement = statement(
  'beat_workers',
  `UPDATE workers w SET last_beat_at = now() - make_interval(secs => i.silent_seconds), in_flight = i.in_flight, state = i.state
FROM unnest($1::uuid[], $2::float8[], $3::int[], $4::text[]) AS i(session, silent_seconds, in_flight, state)
WHERE w.session = i.session`,
);

const leaveStatement = statement('leave_worker', 'DELETE FROM workers WHERE session = $1');
const goneStatement = statement<{ session: string }>(
  'worker_gone',
  "UPDATE workers SET state = 'gone', in_flight = $2 WHERE session = $1 RETURNING session",
);
const isCurrentStatement = statement('worker_is_current', 'SELECT FROM workers WHERE session = $1');
const listStatement = statement<WorkerView>(
  'list_workers',
  `SELECT id, name, CASE WHEN last_beat_at < now() - interval '1 minute' THEN 'gone' ELSE state END AS state, door, replica_id, types, queues, slots, in_flight, labels, sdk, connected_at, last_beat_at
FROM workers WHERE tenant_id = $1 ORDER BY connected_at, id LIMIT 1000`,
);
const commandStatement = statement<{ id: string }>(
  'command_worker',
  "UPDATE workers SET command = $3 WHERE tenant_id = $1 AND id = $2 AND state <> 'gone' RETURNING id",
);
const commandsStatement = statement<{ session: string; command: 'drain' | 'disconnect' }>(
  'worker_commands',
  `WITH given AS (SELECT session, command FROM workers WHERE replica_id = $1 AND command IS NOT NULL FOR UPDATE SKIP LOCKED),
taken AS (UPDATE workers w SET command = NULL FROM given WHERE w.session = given.session)
SELECT session, command FROM given`,
);
const forgetStatement = statement('forget_workers', `DELETE FROM workers WHERE last_beat_at < now() - ${forgetAfter}`);
const knownTypesStatement = statement<{ type: string }>(
  'known_worker_types',
  'SELECT type FROM worker_types WHERE tenant_id = $1 AND type = ANY($2::text[])',
);

/** Where a session of a worker stands, for lists. */
export interface SessionState {
  session: string;
  silent_seconds: number;
  in_flight: number;
  state: 'connected' | 'draining';
}

/** Which workers there are, for all replicas. What they run is in `tasks`. */
@Injectable()
export class WorkersStore {
  constructor(private readonly database: Database) {}

  async connect(profile: WorkerProfile, session: string, replicaId: string): Promise<void> {
    const { tenant_id, id, name, door, types, queues, slots, labels, sdk } = profile;
    await this.database.engine.query(connectStatement, [
      tenant_id,
      id,
      name,
      session,
      door,
      replicaId,
      types,
      queues,
      slots,
      JSON.stringify(labels),
      sdk,
    ]);
  }

  /** One statement for all sessions of this replica. */
  async beat(states: SessionState[]): Promise<void> {
    await this.database.engine.query(beatStatement, [
      states.map((state) => state.session),
      states.map((state) => state.silent_seconds),
      states.map((state) => state.in_flight),
      states.map((state) => state.state),
    ]);
  }

  async leave(session: string): Promise<void> {
    await this.database.engine.query(leaveStatement, [session]);
  }

  async gone(session: string, inFlight: number): Promise<void> {
    await this.database.engine.query(goneStatement, [session, inFlight]);
  }

  /** Whether the worker has not connected anew since, here or elsewhere. */
  async isCurrent(session: string): Promise<boolean> {
    return (await this.database.engine.query(isCurrentStatement, [session])).length > 0;
  }

  list(tenantId: string): Promise<WorkerView[]> {
    return this.database.api.query(listStatement, [tenantId]);
  }

  /** Answers whether there is such a worker. */
  async command(tenantId: string, id: string, command: 'drain' | 'disconnect'): Promise<boolean> {
    return (await this.database.api.query(commandStatement, [tenantId, id, command])).length > 0;
  }

  /** What is wanted of sessions of this replica; asked once, answered once. */
  commands(replicaId: string): Promise<{ session: string; command: 'drain' | 'disconnect' }[]> {
    return this.database.engine.query(commandsStatement, [replicaId]);
  }

  async forget(): Promise<void> {
    await this.database.engine.query(forgetStatement);
  }

  /** Those of `types` that some worker has announced. */
  async knownTypes(tenantId: string, types: string[]): Promise<string[]> {
    return (await this.database.api.query(knownTypesStatement, [tenantId, types])).map(({ type }) => type);
  }
}
