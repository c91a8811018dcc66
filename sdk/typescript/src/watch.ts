import { status as statusCodes, type ClientReadableStream } from '@grpc/grpc-js';
import type { WatchStart, WatchTasksResponse } from './generated/arkitect/v1/task_service.js';
import { Backoff, pause } from './backoff.js';
import { isServiceError, toArkitectError } from './errors.js';
import type { TaskEvent } from './task.js';

export type { WatchStart };

/** How to watch. */
export interface WatchOptions {
  /** The last `seq` that was seen: what came after it is told first (only what happens from now on). */
  since?: number;
  /** Ends the watch (none). */
  signal?: AbortSignal;
  /**
   * Called when the watch begins, and each time it goes on after a break. With `reset`, what happened since the last seq is no longer
   * known in full: read your snapshot again (nothing).
   */
  onStart?: (start: WatchStart) => void;
}

/** `open` calls the server; what it answers is told on, over as many calls as it takes. */
export async function* watchTasks(
  open: (since: number | undefined) => ClientReadableStream<WatchTasksResponse>,
  { since, signal, onStart }: WatchOptions,
): AsyncGenerator<TaskEvent, void, undefined> {
  const backoff = new Backoff();
  let seq = since;
  let begun = false;
  while (!signal?.aborted) {
    const stream = open(seq);
    const cancel = (): void => stream.cancel();
    signal?.addEventListener('abort', cancel);
    // Who leaves the loop is not there any more to hear that the call was cancelled.
    stream.on('error', () => undefined);
    try {
      for await (const { start, event } of stream as AsyncIterable<WatchTasksResponse>) {
        if (start) {
          begun = true;
          seq = start.seq;
          backoff.reset();
          onStart?.(start);
        } else if (event) {
          seq = event.seq;
          yield event as TaskEvent;
        }
      }
    } catch (error) {
      if (signal?.aborted) return;
      if (!begun || !isBroken(error)) throw toArkitectError(error);
    } finally {
      signal?.removeEventListener('abort', cancel);
      stream.cancel();
    }
    await pause(backoff.next(), signal);
  }
}

/** Whether it is the connection that failed, and not the call. */
function isBroken(error: unknown): boolean {
  return isServiceError(error) && [statusCodes.UNAVAILABLE, statusCodes.INTERNAL, statusCodes.UNKNOWN].includes(error.code);
}
