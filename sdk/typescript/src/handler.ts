import type { JsonObject } from './json.js';
import type { TaskPriority } from './task.js';
import type { TraceContext } from './trace.js';

/** How much a log line matters. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** The task of which a handler runs one attempt. */
export interface HandlerTask {
  /** UUIDv7. */
  id: string;
  /** Whose it is. */
  tenantId: string;
  /** What people call it. */
  name: string;
  /** Which handler runs it. */
  type: string;
  /** The line in which it waited. */
  queue: string;
  priority: TaskPriority;
  labels: Record<string, string>;
  /** This attempt, from 1. */
  attempt: number;
  /** Attempts before the task fails. */
  maxAttempts: number;
  /** Seconds that this attempt may take. */
  timeoutSeconds: number;
  /** The handler's input. */
  parameters: JsonObject;
}

/** What a handler can know and say while it runs. Once the attempt is over, all that it says is ignored. */
export interface HandlerContext {
  task: HandlerTask;
  /**
   * Aborted when the attempt is to stop; its `reason` is a `TaskStopped` that says why. Pass it on to all that takes a signal.
   * A handler that goes on in spite of it is no longer waited for after 10 seconds.
   */
  signal: AbortSignal;
  /** The trace that this attempt belongs to: send it on to whatever is called. Undefined when the task has none. */
  readonly trace: TraceContext | undefined;
  /** What was kept last, by this attempt or one before it; undefined when nothing was. */
  readonly checkpoint: JsonObject | undefined;
  /**
   * Keeps an object for the next attempt, should this one fail: at most 64 KiB of JSON, 32 levels deep. Sent within a second, and
   * before the attempt's end. Throws a RangeError when it is too large, and a TypeError when it is no JSON object.
   */
  saveCheckpoint(checkpoint: object): void;
  /** Says how far it is: in percent, 0 to 100, and in words, at most 1,000 characters (none). The latest counts. Sent within a second. */
  progress(percent: number, message?: string): void;
  /**
   * Writes a line into the task's log: at most 10,000 characters, and an object of at most 64 KiB of JSON, 32 levels deep. Never
   * throws: what is too long is cut, and data that cannot be stored is replaced by the reason.
   */
  log(level: LogLevel, message: string, data?: object): void;
}

/**
 * Runs the attempts of one type. What it returns, as JSON, is the task's result; an error that it throws makes the attempt fail, as
 * HANDLER_ERROR or as the `TaskFailure` says.
 */
export type Handler<Parameters = JsonObject> = (parameters: Parameters, context: HandlerContext) => unknown;

/** How a failed attempt goes on. */
export interface TaskFailureOptions extends ErrorOptions {
  /** Whether another attempt could help (true). */
  retryable?: boolean;
  /** Seconds until the next attempt, 0 to 604,800 (the task's backoff). */
  retryAfterSeconds?: number;
}

/** Thrown by a handler to say how its attempt failed. */
export class TaskFailure extends Error {
  override readonly name = 'TaskFailure';
  readonly retryable: boolean;
  readonly retryAfterSeconds: number | undefined;

  /** `code` is for programs: UPPER_SNAKE_CASE, at most 100 characters. Throws a TypeError or RangeError for what is not valid. */
  constructor(
    readonly code: string,
    message: string,
    options: TaskFailureOptions = {},
  ) {
    super(message, options);
    const { retryable = true, retryAfterSeconds } = options;
    if (!/^[A-Z][A-Z0-9_]{0,99}$/.test(code)) {
      throw new TypeError(`The code of a failure must be UPPER_SNAKE_CASE of at most 100 characters, not ${JSON.stringify(code)}.`);
    }
    if (retryAfterSeconds !== undefined && !(retryAfterSeconds >= 0 && retryAfterSeconds <= 604_800)) {
      throw new RangeError(`retryAfterSeconds must be 0 to 604,800, not ${retryAfterSeconds}.`);
    }
    this.retryable = retryable;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** Why an attempt is to stop: somebody cancelled the task, its time is up, it is not this worker's any more, or the worker stops. */
export type StopCode = 'CANCELLED' | 'TIMEOUT' | 'LEASE_LOST' | 'SHUTDOWN';

/** The `reason` of a handler's aborted signal. Its name is AbortError, as of all that is aborted. */
export class TaskStopped extends Error {
  override readonly name = 'AbortError';

  constructor(
    readonly code: StopCode,
    message: string,
  ) {
    super(message);
  }
}
