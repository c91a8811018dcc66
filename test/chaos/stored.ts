import type { Query } from './query.js';

export interface StoredTask {
  id: string;
  status: string;
  attempt: number;
  version: number;
  /** The Idempotency-Key it was created under, as its label says. */
  key: string | null;
  /** Seconds an attempt of it must take. */
  seconds: number;
}

/** One row of the event log. Times are milliseconds since the epoch, of the database's clock. */
export interface StoredEvent {
  seq: number;
  id: string;
  action: string;
  at: number;
  status: string;
  attempt: number;
  /** Null for log lines. */
  version: number | null;
  /** Who ran the attempt. */
  worker: string | null;
}

/** An attempt whose lease was lost, and when it was taken back. */
export interface LostAttempt {
  id: string;
  attempt: number;
  worker: string;
  at: number;
}

/** What the database holds in the end. */
export interface Stored {
  tasks: StoredTask[];
  /** By `seq`. */
  events: StoredEvent[];
  lost: LostAttempt[];
}

export const keyLabel = 'chaos-key';

export async function readStored(query: Query): Promise<Stored> {
  const tasks = await query<StoredTask>(
    `SELECT id, status, attempt, version::int, labels->>$1 AS key, coalesce((parameters->>'seconds')::float8, 0) AS seconds FROM tasks`,
    [keyLabel],
  );
  const events = await query<StoredEvent>(
    `SELECT seq::int, task_id AS id, action, (extract(epoch FROM at) * 1000)::float8 AS at, status,
            coalesce(attempt, 0) AS attempt, version::int, worker_id AS worker
     FROM events WHERE action LIKE 'task%' ORDER BY seq`,
  );
  const lost = await query<LostAttempt>(
    `SELECT task_id AS id, attempt, worker_id AS worker, (extract(epoch FROM finished_at) * 1000)::float8 AS at
     FROM attempts WHERE status = 'lost'`,
  );
  return { tasks, events, lost };
}
