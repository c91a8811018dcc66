import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { AttemptSpans, type TracedAttempt } from './attempt-spans.js';
import type { TraceContext } from './trace-context.js';
import type { OpenSpan, SpanEnd, Spans } from './tracing.js';

/** Spans that stay here: what is opened below what, and how it ended. */
class KeptSpans implements Spans {
  readonly opened: { name: string; parent: TraceContext | undefined; end?: SpanEnd }[] = [];

  constructor(private readonly flags: '00' | '01' = '01') {}

  open(_kind: string, name: string, parent: TraceContext | undefined): OpenSpan {
    const span: KeptSpans['opened'][number] = { name, parent };
    this.opened.push(span);
    const id = String(this.opened.length).padStart(16, '0');
    return {
      trace: { traceparent: `00-${'a'.repeat(32)}-${id}-${this.flags}`, tracestate: null },
      end: (end = {}) => void (span.end = end),
    };
  }

  async stop(): Promise<void> {}
}

function attempt(lease_token: string, fields: Partial<TracedAttempt> = {}): TracedAttempt {
  const names = { id: 't-1', tenant_id: 'default', type: 'echo', queue: 'fast', worker_id: 'w' };
  return { ...names, attempt: 1, timeout_seconds: 10, lease_token, traceparent: null, tracestate: null, ...fields };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('an attempt is handed on with the place of its span, below that of its task', () => {
  const spans = new KeptSpans();
  const attempts = new AttemptSpans(spans);
  const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
  const begun = attempt('lease', { traceparent, tracestate: 'rojo=1' });
  attempts.begun([begun]);
  expect(spans.opened).toEqual([{ name: 'process fast', parent: { traceparent, tracestate: 'rojo=1' } }]);
  expect(begun.traceparent).toBe(`00-${'a'.repeat(32)}-0000000000000001-01`);
  attempts.stop();
});

test('it ends once, with what became of it', () => {
  const spans = new KeptSpans();
  const attempts = new AttemptSpans(spans);
  attempts.begun([attempt('done'), attempt('failed'), attempt('lost')]);
  attempts.ended('done', 'completed');
  attempts.ended('failed', 'queued', 'NO_PAINT');
  attempts.ended('lost', 'lost');
  attempts.ended('lost', 'completed');
  attempts.ended('never begun', 'completed');
  expect(spans.opened.map(({ end }) => [end?.attributes?.['arkitect.attempt.outcome'], end?.error])).toEqual([
    ['completed', undefined],
    ['queued', 'NO_PAINT'],
    ['lost', 'LEASE_LOST'],
  ]);
  attempts.stop();
});

test('one whose end is not seen ends as unknown when its time is up, and at the stop', () => {
  const spans = new KeptSpans();
  const attempts = new AttemptSpans(spans);
  attempts.begun([attempt('short'), attempt('long', { timeout_seconds: 3_600 })]);
  const outcomes = () => spans.opened.map(({ end }) => end?.attributes?.['arkitect.attempt.outcome']);
  vi.advanceTimersByTime(60_000);
  expect(outcomes()).toEqual([undefined, undefined]);
  vi.advanceTimersByTime(60_000);
  expect(outcomes()).toEqual(['unknown', undefined]);
  attempts.stop();
  expect(outcomes()).toEqual(['unknown', 'unknown']);
});

test('one that nobody records is handed on, and not kept', () => {
  const spans = new KeptSpans('00');
  const attempts = new AttemptSpans(spans);
  const begun = attempt('lease');
  attempts.begun([begun]);
  expect(begun.traceparent).toMatch(/-00$/);
  attempts.stop();
  expect(spans.opened[0]).not.toHaveProperty('end');
});
