/// A place in a trace (W3C trace context): the headers of the same names, for propagators of OpenTelemetry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TraceContext {
    /// `00-TRACE_ID-PARENT_ID-FLAGS`.
    pub traceparent: String,
    /// What tracing systems pass on to themselves, at most 512 characters.
    pub tracestate: Option<String>,
}
