import { plainJsonError, resultLimits, storable } from '../input/plain-json.js';
import type { ClaimedTask, Lease } from '../engine/task-row.js';
import type { Completion } from '../engine/transitions/complete.js';
import type { Failure } from '../engine/transitions/fail.js';
import { TaskFailure, type Handler, type LogLevel } from '../handlers/handler.js';
import { readParameters } from '../handlers/handlers.js';
import type { Json, JsonObject } from '../tasks/task.js';

/** Why an attempt was told to stop; the `reason` of its signal. */
export type StopCode = 'CANCELLED' | 'TIMEOUT' | 'LEASE_LOST' | 'SHUTDOWN';

export class Stop extends Error {
  constructor(
    readonly code: StopCode,
    message: string,
  ) {
    super(message);
    this.name = 'AbortError';
  }
}

/** Where a running attempt sends what it has to say before its end. */
export interface AttemptReports {
  progress(lease: Lease, percent: number, message: string | null): void;
  log(lease: Lease, level: LogLevel, message: string, data: JsonObject | null): void;
}

export type Outcome =
  | { kind: 'completed'; completion: Completion }
  | { kind: 'failed'; failure: Failure }
  | { kind: 'dropped' }
  | { kind: 'released' };

const maxErrorLength = 4_000;

/** One attempt: runs the handler, stops it on request or on timeout, and turns whatever happens into an outcome. */
export class Attempt {
  readonly lease: Lease;
  private readonly controller = new AbortController();
  private readonly stopped = Promise.withResolvers<'stopped'>();

  constructor(
    readonly task: ClaimedTask,
    private readonly handler: Handler,
    private readonly reports: AttemptReports,
    /** Milliseconds a handler has between its signal and the moment it is no longer waited for. */
    private readonly stopGraceMs: number,
    /** Monotonic time, in milliseconds, until which the database surely honours the lease. */
    public leaseHeldUntil: number,
  ) {
    this.lease = { tenant_id: task.tenant_id, id: task.id, attempt: task.attempt, lease_token: task.lease_token };
  }

  get stopCode(): StopCode | undefined {
    return this.controller.signal.aborted ? (this.controller.signal.reason as Stop).code : undefined;
  }

  /** Aborts the handler's signal. A lost lease and a shutdown do not wait for the handler; the first reason stays. */
  stop(code: StopCode, message: string): void {
    if (this.controller.signal.aborted) return;
    this.controller.abort(new Stop(code, message));
    const graceMs = code === 'LEASE_LOST' || code === 'SHUTDOWN' ? 0 : this.stopGraceMs;
    setTimeout(() => this.stopped.resolve('stopped'), graceMs).unref();
  }

  async run(): Promise<Outcome> {
    const timeout = setTimeout(
      () => this.stop('TIMEOUT', `The attempt took longer than ${this.task.timeout_seconds} seconds.`),
      this.task.timeout_seconds * 1_000,
    );
    try {
      // Whichever is first: the handler's end, or the end of our patience with one that ignores its signal.
      const ended = await Promise.race([this.handle(), this.stopped.promise]);
      return this.stopCode ? this.outcomeOfStop(this.stopCode) : (ended as Outcome);
    } catch (error) {
      return this.stopCode ? this.outcomeOfStop(this.stopCode) : this.failed(error);
    } finally {
      clearTimeout(timeout);
    }
  }

  private async handle(): Promise<Outcome> {
    const { task } = this;
    const result = await this.handler.run({
      task: {
        id: task.id,
        tenant_id: task.tenant_id,
        name: task.name,
        type: task.type,
        queue: task.queue,
        labels: task.labels,
        attempt: task.attempt,
        max_attempts: task.max_attempts,
        parameters: readParameters(this.handler, task.parameters),
      },
      signal: this.controller.signal,
      trace: task.traceparent === null ? undefined : { traceparent: task.traceparent, tracestate: task.tracestate },
      progress: (percent, message) => this.progress(percent, message),
      log: (level, message, data) => this.log(level, message, data),
    });
    return this.completed(result ?? undefined);
  }

  private progress(percent: number, message?: string): void {
    if (this.stopCode || !Number.isFinite(percent)) return;
    this.reports.progress(
      this.lease,
      Math.min(100, Math.max(0, Math.round(percent * 100) / 100)),
      message === undefined ? null : storable(message).slice(0, 1_000),
    );
  }

  private log(level: LogLevel, message: string, data?: JsonObject): void {
    const refused = data && plainJsonError(data, 'data', { maxBytes: 64 * 1024, maxDepth: 32 });
    const kept = refused ? { refused: `${refused.field} ${refused.message}` } : (data ?? null);
    // oxlint-disable-next-line typescript/no-unnecessary-type-conversion -- a handler may be plain JavaScript
    this.reports.log(this.lease, level, storable(String(message)).slice(0, 10_000), kept);
  }

  private completed(result: Json | undefined): Outcome {
    const refused = result === undefined ? undefined : plainJsonError(result, 'result', resultLimits);
    if (refused) throw new TaskFailure('RESULT_NOT_STORABLE', `The handler's ${refused.field} ${refused.message}.`, { retryable: false });
    return { kind: 'completed', completion: { ...this.lease, result } };
  }

  /** The outcome when the database refuses the result that our own checks let pass. */
  notStorable(reason: string): Outcome {
    return this.failed(
      new TaskFailure('RESULT_NOT_STORABLE', `The database refused the handler's result: ${reason}.`, { retryable: false }),
    );
  }

  private outcomeOfStop(code: StopCode): Outcome {
    if (code === 'LEASE_LOST') return { kind: 'dropped' };
    if (code === 'SHUTDOWN') return { kind: 'released' };
    return this.failed(new TaskFailure(code, (this.controller.signal.reason as Stop).message));
  }

  private failed(error: unknown): Outcome {
    const {
      code,
      retryable = true,
      retryAfter,
    } = error instanceof TaskFailure
      ? { code: error.code, retryable: error.options.retryable, retryAfter: error.options.retry_after_seconds }
      : { code: 'HANDLER_ERROR' };
    const message = error instanceof Error ? error.message : String(error);
    return {
      kind: 'failed',
      failure: {
        ...this.lease,
        code,
        message: storable(message).slice(0, maxErrorLength),
        retryable,
        retry_after_seconds: retryAfter ?? null,
      },
    };
  }
}
