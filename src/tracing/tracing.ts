import type { TraceContext } from './trace-context.js';

export type SpanAttributes = Record<string, string | number | boolean | undefined>;

/** What became of the work of a span. */
export interface SpanEnd {
  attributes?: SpanAttributes;
  /** A code that says why it failed. Never a message: those may hold what is not for every eye. */
  error?: string | undefined;
}

/** A span that has begun. One that is never ended is never exported. */
export interface OpenSpan {
  /** Its own place in the trace, for what belongs below it. */
  readonly trace: TraceContext;
  end(end?: SpanEnd): void;
}

/** Where spans go. There is one only while they are exported. */
export interface Spans {
  open(kind: 'server' | 'producer' | 'consumer', name: string, parent: TraceContext | undefined, attributes: SpanAttributes): OpenSpan;
  /** Sends what is left, for a few seconds at most. */
  stop(): Promise<void>;
}

/** A task that is about to be created. */
interface SentTask {
  id: string;
  tenant_id: string;
  type: string;
  queue: string;
  trace?: TraceContext | undefined;
}

/** What code below the doors knows of traces. */
export class Tracing {
  constructor(
    /** The trace of the request that is being answered. */
    readonly current: () => TraceContext | undefined,
    private readonly spans?: Spans,
  ) {}

  /** The span of tasks that are about to be created; from here on they belong to it. Undefined while no spans are exported. */
  send(tasks: SentTask[]): OpenSpan | undefined {
    const [first] = tasks;
    if (!this.spans || !first) return undefined;
    const span = this.spans.open('producer', `send ${first.queue}`, first.trace, {
      'messaging.system': 'arkitect',
      'messaging.operation.name': 'send',
      'messaging.operation.type': 'send',
      'messaging.destination.name': first.queue,
      'arkitect.tenant.id': first.tenant_id,
      ...(tasks.length === 1
        ? { 'messaging.message.id': first.id, 'arkitect.task.id': first.id, 'arkitect.task.type': first.type }
        : { 'messaging.batch.message_count': tasks.length }),
    });
    for (const task of tasks) task.trace = span.trace;
    return span;
  }
}
