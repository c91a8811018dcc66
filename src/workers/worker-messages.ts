import type { Principal } from '../auth/principal.js';
import { plainJsonError, resultLimits, storable } from '../input/plain-json.js';
import type { Json } from '../tasks/task.js';
import type { Lease } from '../engine/task-row.js';
import type { LogLine } from '../engine/transitions/append-logs.js';
import type { Failure } from '../engine/transitions/fail.js';
import type { Progress } from '../engine/transitions/progress.js';
import type { WorkerLease, WorkerProfile } from './worker.js';
import type { FailItem, LineItem, ReportItem } from './worker-items.js';
import type { ProfileDto } from './workers.dto.js';

/*
 * What workers send, as the engine takes it.
 */

const maxErrorLength = 4_000;

export function toProfile(
  { tenant_id }: Principal,
  { name, instance, types, queues, labels, sdk }: ProfileDto,
  door: WorkerProfile['door'],
  slots: number,
): WorkerProfile {
  return { tenant_id, id: `${name}@${instance}`, name, door, types, queues: queues ?? [], slots, labels: labels ?? {}, sdk: sdk ?? null };
}

export function toLease(tenantId: string, { task_id, attempt, lease_token }: WorkerLease): Lease {
  return { tenant_id: tenantId, id: task_id, attempt, lease_token };
}

export function toProgress(tenantId: string, { lease, progress, progress_message, checkpoint }: ReportItem): Progress {
  return {
    ...toLease(tenantId, lease),
    progress: progress === undefined ? null : Math.round(progress * 100) / 100,
    progress_message: progress_message === undefined ? null : storable(progress_message),
    checkpoint: checkpoint ?? null,
  };
}

export function toLogLine(tenantId: string, { lease, level, message, data }: LineItem): LogLine {
  return { ...toLease(tenantId, lease), level: level ?? 'info', message: storable(message ?? ''), data: data ?? null };
}

export function toFailure(tenantId: string, { lease, code, message, retryable, retry_after_seconds }: FailItem): Failure {
  return {
    ...toLease(tenantId, lease),
    code: code ?? 'HANDLER_ERROR',
    message: storable(message ?? '').slice(0, maxErrorLength),
    retryable: retryable ?? true,
    retry_after_seconds: retry_after_seconds ?? null,
  };
}

/** Why a result cannot be stored; nothing when it can. */
export function resultProblem(result: Json | undefined): string | undefined {
  const refused = result === undefined ? undefined : plainJsonError(result, 'result', resultLimits);
  return refused && `The ${refused.field} ${refused.message}.`;
}

/** What becomes of an attempt whose result cannot be stored. */
export function notStorable(lease: Lease, message: string): Failure {
  return { ...lease, code: 'RESULT_NOT_STORABLE', message: storable(message), retryable: false, retry_after_seconds: null };
}

/**
 * What a worker is told. Leases are renewed every third of their time, so at any moment two thirds are left for sure: a worker that has
 * heard nothing for that long must stop.
 */
export function leaseTimes(leaseSeconds: number): { heartbeat_ms: number; lease_ms: number } {
  return { heartbeat_ms: Math.round((leaseSeconds * 1_000) / 6), lease_ms: Math.floor((leaseSeconds * 2_000) / 3) };
}
