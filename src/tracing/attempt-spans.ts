import { isSampled, type TraceContext } from './trace-context.js';
import type { OpenSpan, Spans } from './tracing.js';

/** An attempt that begins; its trace is what it is handed on with. */
export interface TracedAttempt {
  id: string;
  tenant_id: string;
  type: string;
  queue: string;
  attempt: number;
  worker_id: string | null;
  timeout_seconds: number;
  lease_token: string;
  traceparent: string | null;
  tracestate: string | null;
}

interface Running {
  span: OpenSpan;
  /** Monotonic, in milliseconds: by then it has ended, if it still runs here. */
  until: number;
}

const sweepMs = 60_000;
const graceMs = 60_000;
const maxRunning = 50_000;

/**
 * The spans of attempts, whoever runs them: they begin with the claim and end with the result, both of which pass the engine. An
 * attempt whose end this replica does not see (its worker has moved to another one, or is gone) ends as `unknown`.
 */
export class AttemptSpans {
  private readonly running = new Map<string, Running>();
  private readonly timer = setInterval(() => this.sweep(performance.now()), sweepMs).unref();

  constructor(private readonly spans: Spans) {}

  begun(attempts: TracedAttempt[]): void {
    for (const attempt of attempts) this.begin(attempt);
  }

  /** `outcome`: where it left the task, or what became of the lease. `code`: why it failed. */
  ended(leaseToken: string, outcome: string, code?: string): void {
    const running = this.running.get(leaseToken);
    if (!running) return;
    this.running.delete(leaseToken);
    running.span.end({
      attributes: { 'arkitect.attempt.outcome': outcome },
      error: code ?? (outcome === 'lost' ? 'LEASE_LOST' : undefined),
    });
  }

  stop(): void {
    clearInterval(this.timer);
    this.sweep(Infinity);
  }

  private begin(attempt: TracedAttempt): void {
    const parent: TraceContext | undefined =
      attempt.traceparent === null ? undefined : { traceparent: attempt.traceparent, tracestate: attempt.tracestate };
    const span = this.spans.open('consumer', `process ${attempt.queue}`, parent, {
      'messaging.system': 'arkitect',
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'messaging.destination.name': attempt.queue,
      'messaging.message.id': attempt.id,
      'arkitect.tenant.id': attempt.tenant_id,
      'arkitect.task.id': attempt.id,
      'arkitect.task.type': attempt.type,
      'arkitect.task.queue': attempt.queue,
      'arkitect.task.attempt': attempt.attempt,
      'arkitect.worker.id': attempt.worker_id ?? undefined,
    });
    attempt.traceparent = span.trace.traceparent;
    attempt.tracestate = span.trace.tracestate;
    if (!isSampled(span.trace.traceparent)) return;
    if (this.running.size >= maxRunning) this.ended(this.running.keys().next().value!, 'unknown');
    this.running.set(attempt.lease_token, { span, until: performance.now() + attempt.timeout_seconds * 1_000 + graceMs });
  }

  private sweep(now: number): void {
    for (const [token, { until }] of this.running) if (until < now) this.ended(token, 'unknown');
  }
}
