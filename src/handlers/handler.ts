import type { Json, JsonObject } from '../tasks/task.js';
import type { TraceContext } from '../tracing/trace-context.js';

/** What a handler is told of the task it runs. */
export interface HandlerTask<P extends object> {
  id: string;
  tenant_id: string;
  name: string;
  type: string;
  queue: string;
  labels: Record<string, string>;
  /** From 1. The same attempt is never run twice at once; a later attempt may repeat an earlier one's work. */
  attempt: number;
  max_attempts: number;
  /** Already validated against the handler's `parameters` class. */
  parameters: P;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface HandlerContext<P extends object = JsonObject> {
  task: HandlerTask<P>;
  /** Aborted on cancel, on timeout and when the lease is lost. Its `reason` says which; stop as soon as you can. */
  signal: AbortSignal;
  /** The trace that the attempt belongs to: send it on to whatever the handler calls (`traceHeaders`). Undefined when there is none. */
  readonly trace?: TraceContext | undefined;
  /** `percent` 0..100. Cheap: calls are merged, the latest wins. */
  progress(percent: number, message?: string): void;
  /** A line for `GET /tasks/{id}/logs`. */
  log(level: LogLevel, message: string, data?: JsonObject): void;
}

/** The code that runs one task type. */
export interface Handler<P extends object = object> {
  /** `lower.case.with.dots`, at most 100 characters. */
  readonly type: string;
  /** One sentence for `/docs` and error messages. */
  readonly description: string;
  /** A class with class-validator decorators; a task whose parameters do not fit is refused at create. */
  readonly parameters: new () => P;
  /** Used where the caller of create says nothing. */
  readonly defaults?: { max_attempts?: number; timeout_seconds?: number };
  /** Resolves to the result (JSON, at most 1 MiB). Throw `TaskFailure` to say whether another attempt may help. */
  run(context: HandlerContext<P>): Promise<Json | void>;
}

/** Thrown by a handler whose attempt failed. Any other error counts as `HANDLER_ERROR`, retryable. */
export class TaskFailure extends Error {
  constructor(
    /** UPPER_SNAKE_CASE, stable, for programs. */
    readonly code: string,
    message: string,
    /** `retryable`: whether another attempt may help (true). `retry_after_seconds` overrides the task's backoff for it. */
    readonly options: { retryable?: boolean; retry_after_seconds?: number; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = 'TaskFailure';
  }
}
