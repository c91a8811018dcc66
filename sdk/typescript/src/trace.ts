/**
 * A place in a trace (W3C trace context), with the names of its headers: what `propagation.inject` of OpenTelemetry fills, and
 * what `propagation.extract` reads.
 */
export interface TraceContext {
  /** `00-TRACE_ID-PARENT_ID-FLAGS`. */
  traceparent: string;
  /** What tracing systems pass on to themselves, at most 512 characters. */
  tracestate?: string;
}
