/** Anything JSON can say. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

export const taskStatuses = [
  'pending',
  'scheduled',
  'blocked',
  'queued',
  'running',
  'cancelling',
  'completed',
  'failed',
  'cancelled',
] as const;
export type TaskStatus = (typeof taskStatuses)[number];

export const terminalStatuses = ['completed', 'failed', 'cancelled'] as const satisfies TaskStatus[];

export function isTerminal(status: TaskStatus): boolean {
  return (terminalStatuses as readonly TaskStatus[]).includes(status);
}

export const taskPriorities = ['low', 'medium', 'high', 'critical'] as const;
export type TaskPriority = (typeof taskPriorities)[number];

export const backoffKinds = ['fixed', 'linear', 'exponential'] as const;

/** `requested`, `delivered` to its worker, and in the end `stopped` by it, or `ignored`: its lease was revoked. */
export const cancelStates = ['requested', 'delivered', 'stopped', 'ignored'] as const;
export type CancelState = (typeof cancelStates)[number];

/** How long a failed attempt waits before the next one. */
export interface Backoff {
  kind: (typeof backoffKinds)[number];
  /** Seconds before the second attempt; the step of `linear`, the base of `exponential` (doubling). */
  delay_seconds: number;
  /** No wait is longer than this. */
  max_delay_seconds: number;
  /** 0..1: the share of the wait that is random, so that tasks that failed together do not return together. */
  jitter: number;
}

export const defaultBackoff: Backoff = { kind: 'exponential', delay_seconds: 1, max_delay_seconds: 300, jitter: 0.2 };

/** Why an attempt failed, as clients see it. */
export interface TaskError {
  code: string;
  message: string;
  retryable: boolean;
  /** The attempt that failed, from 1. */
  attempt: number;
}

/** One row of `tasks` as every door shows it: snake_case names, RFC 3339 times. */
export interface Task {
  id: string;
  tenant_id: string;
  name: string;
  type: string;
  queue: string;
  priority: TaskPriority;
  status: TaskStatus;
  parameters: JsonObject;
  labels: Record<string, string>;
  result: Json;
  error: TaskError | null;
  /** 0..100 */
  progress: number;
  progress_message: string | null;
  /** Attempts started so far; attempts are numbered from 1. */
  attempt: number;
  max_attempts: number;
  timeout_seconds: number;
  backoff: Backoff;
  run_at: string | null;
  worker_id: string | null;
  /** How far a cancel of a running task has come; null when there was none. */
  cancel_state: CancelState | null;
  created_by: string;
  /** The trace that it belongs to (W3C trace context): that of the request that created it; null when it had none. */
  trace_id: string | null;
  created_at: string;
  updated_at: string;
  queued_at: string | null;
  /** When the latest attempt started. */
  started_at: string | null;
  finished_at: string | null;
  /** Grows by one with every change; the ETag of REST. */
  version: number;
}
