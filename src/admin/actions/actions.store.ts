import { Injectable } from '@nestjs/common';
import { Database, statement, type Queryable } from '../../database/database.js';
import type { JsonObject } from '../../tasks/task.js';
import type { Run, RunError, RunStatus } from './action.js';

export type NewRun = Pick<Run, 'id' | 'action' | 'parameters' | 'dry_run' | 'replica_id' | 'created_by' | 'request_id'> & {
  parent_id: string | null;
  status: 'queued' | 'running';
};

/** A dry run, as whoever confirms it has to know it. */
export interface Preview {
  id: string;
  created_at: string;
  action: string;
  parameters: JsonObject;
  created_by: string;
  confirmed_at: string | null;
  age_seconds: number;
}

/** A run that has been given to a replica. */
export type TakenRun = Run & { parent_id: string | null };

const names = [
  'id',
  'action',
  'parameters',
  'dry_run',
  'status',
  'replica_id',
  'created_by',
  'request_id',
  'created_at',
  'started_at',
  'finished_at',
  'progress',
  'progress_message',
  'result',
  'error',
  'file_name',
  'file_bytes',
] as const satisfies (keyof Run)[];
const columns = names.join(', ');

/** What an event says of a run: parameters and result may be large. */
const told = names.filter((name) => name !== 'parameters' && name !== 'result');
const recordEvents = `recorded AS (
  INSERT INTO events (tenant_id, task_id, action, log)
  SELECT 'default', c.id, 'admin_action', jsonb_build_object(${told.map((name) => `'${name}', c.${name}`).join(', ')})
  FROM changed c WHERE c.parent_id IS NULL
)`;
const isOpen = "status IN ('queued', 'running')";

const createStatement = statement<Run>(
  'create_admin_action',
  `WITH changed AS (
  INSERT INTO admin_actions (id, action, parameters, dry_run, replica_id, created_by, request_id, parent_id, status, started_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, CASE $9 WHEN 'running' THEN now() END) RETURNING *
), ${recordEvents}
SELECT ${columns} FROM changed`,
);
const takeStatement = statement<TakenRun>(
  'take_admin_actions',
  `WITH changed AS (
  UPDATE admin_actions SET status = 'running', started_at = now() WHERE replica_id = $1 AND status = 'queued' RETURNING *
), ${recordEvents}
SELECT ${columns}, parent_id FROM changed ORDER BY id`,
);
const progressStatement = statement(
  'progress_admin_action',
  `WITH changed AS (
  UPDATE admin_actions SET progress = $2, progress_message = $3 WHERE id = $1 AND status = 'running' RETURNING *
), ${recordEvents}
SELECT FROM changed`,
);
const finishStatement = statement<Run>(
  'finish_admin_action',
  `WITH changed AS (
  UPDATE admin_actions SET status = $2, result = $3, error = $4, confirm_digest = $5, finished_at = now(),
         progress = CASE $2 WHEN 'completed' THEN 100 ELSE progress END,
         progress_message = CASE $2 WHEN 'completed' THEN NULL ELSE progress_message END
  WHERE id = $1 AND ${isOpen} RETURNING *
), ${recordEvents}
SELECT ${columns} FROM changed`,
);
const failGoneStatement = statement<{ id: string }>(
  'fail_gone_admin_actions',
  `WITH changed AS (
  UPDATE admin_actions a SET status = 'failed', finished_at = now(), error = jsonb_build_object('code', 'UNAVAILABLE', 'message',
         'The replica ' || a.replica_id || ' ended before it was done. What it had done by then stays done; look at it, and run the action again.')
  WHERE a.${isOpen} AND a.replica_id IS NOT NULL
    AND NOT EXISTS (SELECT FROM config_replicas r WHERE r.replica_id = a.replica_id AND r.seen_at > now() - make_interval(secs => $1))
  RETURNING a.*
), ${recordEvents}
SELECT id FROM changed`,
);
const failLostStatement = statement<{ id: string }>(
  'fail_lost_admin_actions',
  `WITH changed AS (
  UPDATE admin_actions SET status = 'failed', finished_at = now(), error = jsonb_build_object('code', 'UNAVAILABLE', 'message',
         'The replica could not store what came of it. Look at what it has done, and run the action again.')
  WHERE replica_id = $1 AND status = 'running' AND NOT id = ANY($2::uuid[]) AND started_at < now() - make_interval(secs => $3)
  RETURNING *
), ${recordEvents}
SELECT id FROM changed`,
);
const settleParentsStatement = statement<{ id: string }>(
  'settle_parents_of_admin_actions',
  `WITH done AS (
  SELECT p.id, bool_or(part.status = 'failed') AS has_failed,
         jsonb_agg(jsonb_strip_nulls(jsonb_build_object('replica_id', part.replica_id, 'status', part.status, 'error', part.error))
                   || coalesce(part.result, '{}') ORDER BY part.replica_id) AS replicas
  FROM admin_actions p JOIN admin_actions part ON part.parent_id = p.id
  WHERE p.replica_id IS NULL AND p.status = 'running'
  GROUP BY p.id HAVING bool_and(part.finished_at IS NOT NULL)
), changed AS (
  UPDATE admin_actions a
  SET status = CASE WHEN done.has_failed THEN 'failed' ELSE 'completed' END, finished_at = now(), result = jsonb_build_object('replicas', done.replicas),
      progress = 100, error = CASE WHEN done.has_failed
        THEN jsonb_build_object('code', 'UNAVAILABLE', 'message', 'Some replicas did not do it; result.replicas says which, and why.') END
  FROM done WHERE a.id = done.id AND a.status = 'running' RETURNING a.*
), ${recordEvents}
SELECT id FROM changed`,
);
const findStatement = statement<Run>('find_admin_action', `SELECT ${columns} FROM admin_actions WHERE id = $1`);
const listStatement = statement<Run>(
  'list_admin_actions',
  `SELECT ${columns} FROM admin_actions
WHERE parent_id IS NULL AND ($1::uuid IS NULL OR id < $1) AND ($2::text[] IS NULL OR action = ANY($2)) AND ($3::text[] IS NULL OR status = ANY($3))
ORDER BY id DESC LIMIT $4`,
);
const previewStatement = statement<Preview>(
  'find_preview',
  `SELECT id, created_at, action, parameters, created_by, confirmed_at, extract(epoch FROM now() - finished_at)::float8 AS age_seconds
FROM admin_actions WHERE confirm_digest = $1 FOR UPDATE`,
);
const confirmStatement = statement('confirm_preview', 'UPDATE admin_actions SET confirmed_at = now() WHERE id = $1');
const fileStatement = statement('name_file_of_admin_action', 'UPDATE admin_actions SET file_name = $2, file_bytes = $3 WHERE id = $1');
const keptBytesStatement = statement<{ bytes: number }>(
  'bytes_of_files',
  'SELECT coalesce(sum(file_bytes), 0)::bigint AS bytes FROM admin_actions WHERE file_name IS NOT NULL',
);
const addPieceStatement = statement<{ position: number }>(
  'add_piece_of_file',
  `INSERT INTO admin_action_pieces (run_id, position, data) SELECT id, $2, $3 FROM admin_actions WHERE id = $1 AND ${isOpen} RETURNING position`,
);
const pieceStatement = statement<{ data: Buffer }>(
  'piece_of_file',
  'SELECT data FROM admin_action_pieces WHERE run_id = $1 AND position = $2',
);
const pruneStatement = statement(
  'prune_admin_actions',
  `WITH old AS (
  UPDATE admin_actions SET file_name = NULL, file_bytes = NULL
  WHERE file_name IS NOT NULL AND finished_at < now() - make_interval(secs => $1) RETURNING id
), unfinished AS (
  -- What had been written when a run failed.
  SELECT DISTINCT p.run_id AS id FROM admin_action_pieces p JOIN admin_actions a ON a.id = p.run_id WHERE a.status = 'failed'
), pieces_gone AS (
  DELETE FROM admin_action_pieces p WHERE p.run_id IN (SELECT id FROM old UNION SELECT id FROM unfinished)
), forgotten AS (
  SELECT id FROM admin_actions WHERE finished_at < now() - make_interval(days => $2) AND id NOT IN (SELECT id FROM old) LIMIT 1000
)
DELETE FROM admin_actions a USING forgotten WHERE a.id = forgotten.id`,
);

/** Runs of admin actions and what they leave to download. They are of the whole cluster, whatever the tenant. */
@Injectable()
export class ActionsStore {
  constructor(private readonly database: Database) {}

  transaction<T>(work: (transaction: Queryable) => Promise<T>): Promise<T> {
    return this.database.api.transaction(work);
  }

  async create(run: NewRun, db: Queryable): Promise<Run> {
    const { id, action, parameters, dry_run, replica_id, created_by, request_id, parent_id, status } = run;
    const values = [id, action, JSON.stringify(parameters), dry_run, replica_id, created_by, request_id, parent_id, status];
    return (await db.query(createStatement, values))[0]!;
  }

  /** All that waits for this replica; from here on it is its own. */
  take(replicaId: string): Promise<TakenRun[]> {
    return this.database.api.query(takeStatement, [replicaId]);
  }

  async progress(id: string, percent: number, message: string): Promise<void> {
    await this.database.api.query(progressStatement, [id, percent, message]);
  }

  /** Undefined when it has ended already: its replica was taken for gone. */
  async finish(
    id: string,
    status: RunStatus,
    result: JsonObject | null,
    error: RunError | null,
    confirm?: Buffer,
  ): Promise<Run | undefined> {
    const json = (value: object | null) => value && JSON.stringify(value);
    return (await this.database.api.query(finishStatement, [id, status, json(result), json(error), confirm ?? null]))[0];
  }

  /** Ends what replicas have left that do not run any more. Answers how many. */
  async failGone(goneAfterSeconds: number): Promise<number> {
    return (await this.database.loops.query(failGoneStatement, [goneAfterSeconds])).length;
  }

  /** Ends what a replica is said to be at, and is not. Answers how many. */
  async failLost(replicaId: string, running: string[], afterSeconds: number): Promise<number> {
    return (await this.database.api.query(failLostStatement, [replicaId, running, afterSeconds])).length;
  }

  /** Ends runs of which every replica has done its part. Answers how many. */
  async settleParents(): Promise<number> {
    return (await this.database.loops.query(settleParentsStatement)).length;
  }

  async find(id: string): Promise<Run | undefined> {
    return (await this.database.api.query(findStatement, [id]))[0];
  }

  /** Newest first. */
  list(cursor: string | undefined, actions: string[] | undefined, statuses: string[] | undefined, limit: number): Promise<Run[]> {
    return this.database.api.query(listStatement, [cursor ?? null, actions ?? null, statuses ?? null, limit]);
  }

  /** The dry run whose token this is; nobody else can confirm it meanwhile. */
  async preview(digest: Buffer, db: Queryable): Promise<Preview | undefined> {
    return (await db.query(previewStatement, [digest]))[0];
  }

  async confirm(id: string, db: Queryable): Promise<void> {
    await db.query(confirmStatement, [id]);
  }

  async nameFile(id: string, name: string, bytes: number): Promise<void> {
    await this.database.api.query(fileStatement, [id, name, bytes]);
  }

  /** Of all that can be downloaded just now. */
  async keptBytes(): Promise<number> {
    return (await this.database.api.query(keptBytesStatement))[0]!.bytes;
  }

  /** Answers whether the run still goes on. */
  async addPiece(id: string, position: number, data: Buffer): Promise<boolean> {
    return (await this.database.api.query(addPieceStatement, [id, position, data])).length > 0;
  }

  async piece(id: string, position: number): Promise<Buffer | undefined> {
    return (await this.database.api.query(pieceStatement, [id, position]))[0]?.data;
  }

  async prune(fileSeconds: number, days: number): Promise<void> {
    await this.database.loops.query(pruneStatement, [fileSeconds, days]);
  }
}
