import type { Complete, Fail, Lease } from '../generated/arkitect/v1/worker_service.js';
import { TaskFailure, type TaskStopped } from '../handler.js';
import { toJsonWithin } from '../json.js';
import { storable } from '../text.js';
import { maxErrorMessage, resultLimits, weightOfJson, weightOfText } from './limits.js';

/** How an attempt ended. `weight`: at most so many bytes of a message. */
export type Outcome =
  | { kind: 'completed'; complete: Complete; weight: number }
  | { kind: 'failed'; fail: Fail; weight: number }
  /** Unfinished at a shutdown: back to its queue. */
  | { kind: 'handed back' }
  /** Its lease is gone: nobody wants to know. */
  | { kind: 'dropped' };

/** The outcome of a handler that returned. What JSON cannot hold, and what is too large, is the attempt's failure. */
export function resultOf(lease: Lease, value: unknown): Outcome {
  if (value === undefined) return { kind: 'completed', complete: { lease }, weight: 0 };
  try {
    const { json, bytes } = toJsonWithin(value, "handler's result", resultLimits);
    return { kind: 'completed', complete: { lease, result: json }, weight: weightOfJson(bytes) };
  } catch (error) {
    return failureOf(lease, new TaskFailure('RESULT_NOT_STORABLE', (error as Error).message, { retryable: false }));
  }
}

/** The outcome of a handler that threw. */
export function failureOf(lease: Lease, error: unknown): Outcome {
  const message = storable(messageOf(error), maxErrorMessage);
  const fail: Fail =
    error instanceof TaskFailure
      ? { lease, code: error.code, message, retryable: error.retryable, retryAfterSeconds: error.retryAfterSeconds }
      : { lease, code: 'HANDLER_ERROR', message, retryable: true };
  return { kind: 'failed', fail, weight: weightOfText(message) };
}

/** The outcome of a handler that was told to stop and did not end by itself, or too late. */
export function failureOfStop(lease: Lease, { code, message }: TaskStopped): Outcome {
  return { kind: 'failed', fail: { lease, code, message, retryable: true }, weight: weightOfText(message) };
}

function messageOf(error: unknown): string {
  try {
    return error instanceof Error ? error.message : String(error);
  } catch {
    // An object without a prototype, or with a toString that throws.
    return 'The handler threw something that cannot be shown.';
  }
}
