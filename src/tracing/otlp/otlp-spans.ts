import { createTraceState, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, type Context, type Span, type Tracer } from '@opentelemetry/api';
import type { TracerProvider } from '@opentelemetry/sdk-trace';
import { traceIdOf, type TraceContext } from '../trace-context.js';
import type { OpenSpan, SpanAttributes, SpanEnd, Spans } from '../tracing.js';

const kinds = { server: SpanKind.SERVER, producer: SpanKind.PRODUCER, consumer: SpanKind.CONSUMER };

/** A collector that does not answer must not keep the process from ending. */
const stopMs = 5_000;

/** Spans by OpenTelemetry. Parents are said, never found: no context of the SDK runs along with our own. */
export class OtlpSpans implements Spans {
  private readonly tracer: Tracer;

  constructor(
    private readonly provider: TracerProvider,
    version: string,
  ) {
    this.tracer = provider.getTracer('arkitect-orchestrator', version);
  }

  open(kind: keyof typeof kinds, name: string, parent: TraceContext | undefined, attributes: SpanAttributes): OpenSpan {
    return new OtlpSpan(this.tracer.startSpan(name, { kind: kinds[kind], attributes }, parent ? below(parent) : ROOT_CONTEXT));
  }

  async stop(): Promise<void> {
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, stopMs);
    // Whatever went wrong was told to the diagnostics of the SDK.
    await Promise.race([this.provider.shutdown().catch(() => undefined), late.promise]);
    clearTimeout(timer);
  }
}

class OtlpSpan implements OpenSpan {
  readonly trace: TraceContext;

  constructor(private readonly span: Span) {
    const { traceId, spanId, traceFlags, traceState } = span.spanContext();
    const flags = traceFlags.toString(16).padStart(2, '0');
    this.trace = { traceparent: `00-${traceId}-${spanId}-${flags}`, tracestate: traceState?.serialize() || null };
  }

  end({ attributes, error }: SpanEnd = {}): void {
    if (attributes) this.span.setAttributes(attributes);
    if (error !== undefined) this.span.setAttribute('error.type', error).setStatus({ code: SpanStatusCode.ERROR });
    this.span.end();
  }
}

function below({ traceparent, tracestate }: TraceContext): Context {
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId: traceIdOf(traceparent),
    spanId: traceparent.slice(36, 52),
    traceFlags: Number.parseInt(traceparent.slice(53), 16),
    isRemote: true,
    ...(tracestate !== null && { traceState: createTraceState(tracestate) }),
  });
}
