import type { JsonObject, TaskPriority } from '../tasks/task.js';

/** What a worker says of itself. */
export interface WorkerProfile {
  tenant_id: string;
  /** Name and instance, as `worker_id` of tasks shows it. */
  id: string;
  name: string;
  door: 'grpc' | 'http';
  types: string[];
  /** None means all. */
  queues: string[];
  slots: number;
  labels: Record<string, string>;
  sdk: string | null;
}

/** A worker as lists show it. */
export interface WorkerView extends Omit<WorkerProfile, 'tenant_id'> {
  /** `gone`: its connection broke; unless it comes back at once, its tasks run elsewhere. */
  state: 'connected' | 'draining' | 'gone';
  replica_id: string;
  /** Attempts that it runs. */
  in_flight: number;
  connected_at: string;
  last_beat_at: string;
}

/** Proof of holding a lease, as workers send it. */
export interface WorkerLease {
  task_id: string;
  attempt: number;
  lease_token: string;
}

/** One attempt to run, as workers get it. */
export interface Assignment {
  lease: WorkerLease;
  tenant_id: string;
  name: string;
  type: string;
  queue: string;
  priority: TaskPriority;
  labels: Record<string, string>;
  parameters: JsonObject;
  max_attempts: number;
  timeout_seconds: number;
  checkpoint: JsonObject | null;
  traceparent: string | null;
  tracestate: string | null;
}

/** The answer to a sign of life. */
export interface BeatAck {
  /** How many leases are renewed. */
  ok: number;
  /** Not the worker's any more. */
  lost: WorkerLease[];
  /** To be stopped. */
  cancel: WorkerLease[];
}

/** Where a result left its task. */
export interface SettledTask {
  task_id: string;
  status: string;
  message?: string;
}
