import { randomUUIDv7 } from 'node:crypto';
import type { Database } from '../../src/database/database.js';
import { Engine } from '../../src/engine/engine.js';
import { newTaskId } from '../../src/engine/task-id.js';
import type { ClaimedTask, Lease, NewTask, TaskRow } from '../../src/engine/task-row.js';
import { EventLog } from '../../src/events/event-log.js';
import { WakeUps } from '../../src/events/wake-ups.js';
import { defaultBackoff } from '../../src/tasks/task.js';
import { openTestDatabase } from './database.js';

export interface TestEngine {
  engine: Engine;
  database: Database;
  wakeUps: WakeUps;
  eventLog: EventLog;
  url: string;
  /** Errors that background work met; a test that expects none asserts that it is empty. */
  errors: unknown[];
  task(id: string): Promise<TaskRow>;
  close(): Promise<void>;
}

/** An engine on a database of its own, without doors, loops or runner: nothing moves but by the test. */
export async function startTestEngine(): Promise<TestEngine> {
  const { database, url, close } = await openTestDatabase();
  const errors: unknown[] = [];
  const wakeUps = new WakeUps(database, `test-${randomUUIDv7()}`, (error) => errors.push(error));
  const eventLog = new EventLog(database, wakeUps, (error) => errors.push(error));
  await wakeUps.start();
  await eventLog.start();
  return {
    engine: new Engine(database, wakeUps),
    database,
    wakeUps,
    eventLog,
    url,
    errors,
    async task(id) {
      const [row] = await database.api.queryText<TaskRow>('SELECT * FROM tasks WHERE id = $1', [id]);
      if (!row) throw new Error(`Task ${id} is gone`);
      return row;
    },
    async close() {
      await eventLog.stop();
      await wakeUps.stop();
      await close();
    },
  };
}

export function newTask(fields: Partial<NewTask> = {}): NewTask {
  return {
    tenant_id: 'default',
    id: newTaskId(),
    name: 'a task',
    type: 'test',
    queue: 'default',
    priority: 'medium',
    parameters: {},
    labels: {},
    max_attempts: 1,
    timeout_seconds: 300,
    backoff: { ...defaultBackoff, delay_seconds: 0 },
    run_at: null,
    start: 'auto',
    created_by: 'test',
    ...fields,
  };
}

export function claimOne(engine: Engine, worker_id = 'w1', lease_seconds = 30): Promise<ClaimedTask | undefined> {
  return engine.claim({ worker_ids: [worker_id], types: ['test'], limit: 1, lease_seconds }).then(([task]) => task);
}

export function leaseOf({ tenant_id, id, attempt, lease_token }: ClaimedTask): Lease {
  return { tenant_id, id, attempt, lease_token };
}

export function failureOf(task: ClaimedTask, fields: { retryable?: boolean; retry_after_seconds?: number } = {}) {
  return { ...leaseOf(task), code: 'BOOM', message: 'it went boom', retryable: true, retry_after_seconds: null, ...fields };
}
