import { describe, expect, test } from 'vitest';
import { isSampled, parseTraceContext, traceHeaders, traceIdOf } from './trace-context.js';

const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
const valid = `00-${trace}-00f067aa0ba902b7-01`;

describe('traceparent', () => {
  test('is taken as it is when it is valid', () => {
    expect(parseTraceContext(valid)).toEqual({ traceparent: valid, tracestate: null });
    expect(traceIdOf(valid)).toBe(trace);
  });

  test.each([
    ['nothing', undefined],
    ['no text', 7],
    ['empty text', ''],
    ['no trace id', `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`],
    ['no parent id', `00-${trace}-${'0'.repeat(16)}-01`],
    ['capitals', valid.toUpperCase()],
    ['the version that is forbidden', `ff${valid.slice(2)}`],
    ['too short', valid.slice(0, -1)],
    ['more than version 00 has', `${valid}-more`],
    ['two headers', `${valid}, ${valid}`],
    ['a space', ` ${valid}`],
    ['a line break', `${valid}\n`],
  ])('is ignored when it is not valid: %s', (_, header) => {
    expect(parseTraceContext(header)).toBeUndefined();
  });

  test('of a later version is read as far as it is known', () => {
    expect(parseTraceContext(`cc${valid.slice(2)}-what-the-future-brings`)).toEqual({ traceparent: valid, tracestate: null });
    expect(parseTraceContext(`cc${valid.slice(2, -2)}fe`)).toEqual({ traceparent: `${valid.slice(0, -2)}00`, tracestate: null });
    expect(parseTraceContext(`cc${valid.slice(2)}.x`)).toBeUndefined();
  });

  test('says whether the trace is recorded', () => {
    expect(['00', '01', '02', '03'].map((flags) => isSampled(valid.slice(0, -2) + flags))).toEqual([false, true, false, true]);
  });
});

describe('tracestate', () => {
  const stateOf = (header: unknown) => parseTraceContext(valid, header)!.tracestate;

  test('is passed on without spaces between its members', () => {
    expect(stateOf('rojo=00f067aa0ba902b7, congo=t61rcWkgMzE ,, a1@vendor=x y')).toBe(
      'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE,a1@vendor=x y',
    );
  });

  test.each([
    ['nothing', undefined],
    ['empty', ''],
    ['no value', 'rojo'],
    ['no key', '=1'],
    ['a capital key', 'Rojo=1'],
    ['a key twice', 'rojo=1,rojo=2'],
    ['a control character', 'rojo=1\u0007'],
    ['more than 32 members', Array.from({ length: 33 }, (_, index) => `k${index}=1`).join(',')],
  ])('is left out when it is not valid, and the trace is kept: %s', (_, header) => {
    expect(parseTraceContext(valid, header)).toEqual({ traceparent: valid, tracestate: null });
  });

  test('keeps the newest members that fit into 512 characters', () => {
    const members = Array.from({ length: 6 }, (_, index) => `k${index}=${'x'.repeat(97)}`);
    expect(stateOf(members.join(','))).toBe(members.slice(0, 5).join(','));
    expect(stateOf(`long=${'x'.repeat(256)},other=${'y'.repeat(256)}`)).toBe(`long=${'x'.repeat(256)}`);
  });

  test('is a header only when there is one', () => {
    expect(traceHeaders({ traceparent: valid, tracestate: null })).toEqual({ traceparent: valid });
    expect(traceHeaders({ traceparent: valid, tracestate: 'a=1' })).toEqual({ traceparent: valid, tracestate: 'a=1' });
  });
});
