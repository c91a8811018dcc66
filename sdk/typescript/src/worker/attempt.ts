import type { Assignment, Lease, LogLine } from '../generated/arkitect/v1/worker_service.js';
import { TaskStopped, type Handler, type HandlerContext, type HandlerTask, type LogLevel, type StopCode } from '../handler.js';
import { toJsonObject, type JsonObject } from '../json.js';
import { storable } from '../text.js';
import type { TraceContext } from '../trace.js';
import type { TaskPriority } from '../task.js';
import { logDataLimits, maxLogMessage } from './limits.js';
import { failureOf, failureOfStop, resultOf, type Outcome } from './outcome.js';
import { Report } from './report.js';

/** Milliseconds that a handler has between its signal and the moment it is no longer waited for. */
const stopGraceMs = 10_000;
/** The same when the whole worker stops, after its own limit has passed. */
const shutdownGraceMs = 1_000;

const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** Where an attempt sends what it has to say before its end. */
export interface AttemptListener {
  log(line: LogLine): void;
  /** There is something new in its report. */
  reported(): void;
}

/** One attempt: runs the handler, stops it on request or on timeout, and turns whatever happens into an outcome. */
export class Attempt {
  readonly lease: Lease;
  readonly report = new Report();
  readonly #assignment: Assignment;
  readonly #handler: Handler;
  readonly #listener: AttemptListener;
  readonly #controller = new AbortController();
  readonly #patience: Promise<'impatient'>;
  #losePatience!: (reason: 'impatient') => void;
  #patienceTimer: NodeJS.Timeout | undefined;
  #dropped = false;
  #over = false;
  #checkpoint: JsonObject | undefined;

  constructor(assignment: Assignment, handler: Handler, listener: AttemptListener) {
    if (!assignment.lease) throw new TypeError('The server assigned a task without a lease.');
    this.lease = assignment.lease;
    this.#assignment = assignment;
    this.#handler = handler;
    this.#listener = listener;
    this.#checkpoint = assignment.checkpoint;
    this.#patience = new Promise((resolve) => (this.#losePatience = resolve));
  }

  /** Its lease is gone: what it does from now on counts for nothing. */
  get isDropped(): boolean {
    return this.#dropped;
  }

  get #stopCode(): StopCode | undefined {
    return this.#controller.signal.aborted ? (this.#controller.signal.reason as TaskStopped).code : undefined;
  }

  /** Aborts the handler's signal; the first reason stays. */
  stop(code: StopCode, message: string): void {
    if (this.#over) return;
    if (code === 'LEASE_LOST') this.#dropped = true;
    // A shutdown waits no longer for what was told to stop before.
    if (code === 'SHUTDOWN' || !this.#controller.signal.aborted) this.#waitAtMost(code === 'SHUTDOWN' ? shutdownGraceMs : stopGraceMs);
    if (!this.#controller.signal.aborted) this.#controller.abort(new TaskStopped(code, message));
  }

  /** Runs the handler to its end, or to the end of our patience with one that ignores its signal. Never rejects. */
  async run(): Promise<Outcome> {
    const { timeoutSeconds } = this.#assignment;
    const timeout = setTimeout(
      () => this.stop('TIMEOUT', `The attempt took longer than ${timeoutSeconds} seconds.`),
      timeoutSeconds * 1_000,
    );
    try {
      const ended = await Promise.race([this.#handle(), this.#patience]);
      return ended === 'impatient' ? this.#outcomeOfStop() : this.#outcomeOfSuccess(ended);
    } catch (error) {
      return this.#outcomeOfError(error);
    } finally {
      this.#over = true;
      clearTimeout(timeout);
      clearTimeout(this.#patienceTimer);
    }
  }

  async #handle(): Promise<Outcome> {
    const context = this.#context();
    return resultOf(this.lease, await this.#handler(context.task.parameters, context));
  }

  #outcomeOfSuccess(outcome: Outcome): Outcome {
    // Whoever completes in spite of a cancel or a shutdown has completed; what comes after the time limit is too late.
    return this.#dropped || this.#stopCode === 'TIMEOUT' ? this.#outcomeOfStop() : outcome;
  }

  #outcomeOfError(error: unknown): Outcome {
    const stopCode = this.#stopCode;
    // After a cancel the handler's own error tells most.
    return stopCode === undefined || (stopCode === 'CANCELLED' && !this.#dropped) ? failureOf(this.lease, error) : this.#outcomeOfStop();
  }

  #outcomeOfStop(): Outcome {
    if (this.#dropped) return { kind: 'dropped' };
    const stopped = this.#controller.signal.reason as TaskStopped;
    return stopped.code === 'SHUTDOWN' ? { kind: 'handed back' } : failureOfStop(this.lease, stopped);
  }

  #waitAtMost(milliseconds: number): void {
    clearTimeout(this.#patienceTimer);
    this.#patienceTimer = setTimeout(() => this.#losePatience('impatient'), milliseconds);
  }

  #context(): HandlerContext {
    const checkpoint = (): JsonObject | undefined => this.#checkpoint;
    return {
      task: taskOf(this.#assignment, this.lease),
      signal: this.#controller.signal,
      trace: traceOf(this.#assignment),
      get checkpoint() {
        return checkpoint();
      },
      saveCheckpoint: (checkpoint) => {
        if (this.#over) return;
        this.#checkpoint = this.report.checkpoint(checkpoint);
        this.#listener.reported();
      },
      progress: (percent, message) => {
        if (!this.#over && this.report.progress(percent, message)) this.#listener.reported();
      },
      log: (level, message, data) => {
        if (!this.#over && !this.#dropped) this.#listener.log(lineOf(this.lease, level, message, data));
      },
    };
  }
}

function taskOf(assignment: Assignment, lease: Lease): HandlerTask {
  const { tenantId, name, type, queue, priority, labels, maxAttempts, timeoutSeconds, parameters } = assignment;
  return {
    id: lease.taskId,
    tenantId,
    name,
    type,
    queue,
    priority: priority as TaskPriority,
    labels,
    attempt: lease.attempt,
    maxAttempts,
    timeoutSeconds,
    parameters: parameters ?? {},
  };
}

function traceOf({ traceparent, tracestate }: Assignment): TraceContext | undefined {
  if (traceparent === undefined) return undefined;
  return tracestate === undefined ? { traceparent } : { traceparent, tracestate };
}

function lineOf(lease: Lease, level: LogLevel, message: string, data: object | undefined): LogLine {
  let kept: JsonObject | undefined;
  try {
    kept = data && toJsonObject(data, 'data', logDataLimits).json;
  } catch (error) {
    kept = { refused: storable((error as Error).message, maxLogMessage) };
  }
  // A handler may be plain JavaScript: what is no level, or no text, must not end the stream.
  return { lease, level: levels.includes(level) ? level : 'info', message: storable(message, maxLogMessage), data: kept };
}
