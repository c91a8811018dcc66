/** W3C trace context, with the names of its headers: as it travels, and as it is kept with a task. */
export interface TraceContext {
  /** `00-TRACE_ID-PARENT_ID-FLAGS`, 55 characters. */
  traceparent: string;
  /** What tracing systems pass on to themselves, at most 512 characters. */
  tracestate: string | null;
}

const maxTracestate = 512;
const maxMembers = 32;

const traceparentPattern = /^(?!ff)[\da-f]{2}-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}(?=$|-)/;
const memberKey = /^(?:[a-z\d][a-z\d_\-*/]{0,255}|[a-z\d][a-z\d_\-*/]{0,240}@[a-z][a-z\d_\-*/]{0,13})$/;
const memberValue = /^[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

/** The context that a caller sent. What is not valid is no error: it is as if it had not been sent, as the W3C wants it. */
export function parseTraceContext(traceparent: unknown, tracestate?: unknown): TraceContext | undefined {
  if (typeof traceparent !== 'string') return undefined;
  const [known] = traceparentPattern.exec(traceparent) ?? [];
  if (!known) return undefined;
  const state = typeof tracestate === 'string' ? parseTracestate(tracestate) : null;
  if (known.startsWith('00-')) return known === traceparent ? { traceparent, tracestate: state } : undefined;
  // Of a later version the first four fields are known, and of its flags that of sampling.
  return { traceparent: `00-${known.slice(3, 53)}0${isSampled(known) ? 1 : 0}`, tracestate: state };
}

export function traceIdOf(traceparent: string): string {
  return traceparent.slice(3, 35);
}

/** Whether whoever began the trace records it, so that somebody can look it up. */
export function isSampled(traceparent: string): boolean {
  return (Number.parseInt(traceparent.slice(53, 55), 16) & 1) === 1;
}

/** As headers, which is also what propagators of OpenTelemetry take for a carrier. */
export function traceHeaders({ traceparent, tracestate }: TraceContext): { traceparent: string; tracestate?: string } {
  return tracestate === null ? { traceparent } : { traceparent, tracestate };
}

/** Whole members from the left, as many as fit: the right ones are the oldest. Null when any of them is not valid. */
function parseTracestate(header: string): string | null {
  const members = header
    .split(',')
    .map((member) => member.trim())
    .filter(Boolean);
  const keys = members.map((member) => member.slice(0, Math.max(0, member.indexOf('='))));
  const valid =
    members.length <= maxMembers &&
    new Set(keys).size === keys.length &&
    members.every((member, index) => memberKey.test(keys[index]!) && memberValue.test(member.slice(keys[index]!.length + 1)));
  if (!valid) return null;
  let kept = members.join(',');
  while (kept.length > maxTracestate) kept = kept.slice(0, Math.max(0, kept.lastIndexOf(',')));
  return kept || null;
}
