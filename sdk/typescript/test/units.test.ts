import { describe, expect, test } from 'vitest';
import { Backoff } from '../src/backoff.js';
import { connectionOf, parseAddress } from '../src/connection.js';
import { TaskFailure } from '../src/index.js';
import { toJson, toJsonWithin } from '../src/json.js';
import { storable } from '../src/text.js';
import { Outbox } from '../src/worker/outbox.js';
import { failureOf, resultOf } from '../src/worker/outcome.js';
import { Report } from '../src/worker/report.js';

function leaseOf(number: number) {
  return { taskId: `task-${number}`, attempt: 1, leaseToken: `token-${number}` };
}

describe('an address', () => {
  test('may be a host with a port, or a URL', () => {
    expect(parseAddress('db.example:7')).toEqual({ secure: false, target: 'db.example:7' });
    expect(parseAddress('http://db.example:7/')).toEqual({ secure: false, target: 'db.example:7' });
    expect(parseAddress('https://db.example')).toEqual({ secure: true, target: 'db.example:50051' });
    expect(parseAddress('[::1]')).toEqual({ secure: false, target: '[::1]:50051' });
  });

  test('may be nothing else', () => {
    for (const address of ['ftp://x', '', 'http://x/path', 'a b', 'x:y']) expect(() => parseAddress(address)).toThrow(TypeError);
    expect(() => connectionOf({ tls: { cert: 'alone' } })).toThrow('belong together');
  });
});

describe('JSON of a value', () => {
  test('is what JSON.stringify keeps of it', () => {
    expect(toJson({ a: undefined, b: new Date(0), c: Number.NaN }, 'x')).toEqual({
      json: { b: '1970-01-01T00:00:00.000Z', c: null },
      bytes: 41,
    });
    expect(toJson(undefined, 'x').json).toBeNull();
    expect(toJson('__proto__', 'x').json).toBe('__proto__');
  });

  test('is refused where the server would store something else', () => {
    const cycle: { self?: object } = {};
    cycle.self = cycle;
    expect(() => toJson(cycle, 'x')).toThrow(TypeError);
    expect(() => toJson(JSON.parse('{"a":[{"__proto__":1}]}'), 'result')).toThrow('The result must not have keys named __proto__.');
    expect(() => toJsonWithin([[[]]], 'x', { bytes: 100, depth: 2 })).toThrow('at most 2 levels');
    expect(toJsonWithin([[1]], 'x', { bytes: 100, depth: 2 }).bytes).toBe(5);
  });
});

test('text is cut at a character and can be stored', () => {
  expect(storable('a\0b', 10)).toBe('a\u{fffd}b');
  expect(storable('ab😀', 3)).toBe('ab\u{fffd}');
});

test('waits double from 0.2 s to 10 s', () => {
  const backoff = new Backoff();
  const waits = Array.from({ length: 12 }, () => backoff.next());
  waits.forEach((wait, index) => {
    const most = Math.min(10_000, 400 * 2 ** index);
    expect(wait).toBeGreaterThanOrEqual(most / 2);
    expect(wait).toBeLessThanOrEqual(most);
  });
  backoff.reset();
  expect(backoff.next()).toBeLessThanOrEqual(400);
});

test('a failure has a code and a time that the server takes', () => {
  expect(new TaskFailure('NO_ROOM', 'full', { retryAfterSeconds: 5 })).toMatchObject({
    code: 'NO_ROOM',
    retryable: true,
    retryAfterSeconds: 5,
  });
  expect(() => new TaskFailure('no room', 'full')).toThrow(TypeError);
  expect(() => new TaskFailure('X', 'full', { retryAfterSeconds: -1 })).toThrow(RangeError);
});

describe('the outbox', () => {
  test('keeps results until they are acknowledged, and sends them again after a break', () => {
    const outbox = new Outbox();
    outbox.addOutcome(leaseOf(1), new Report(), resultOf(leaseOf(1), { n: 1 }));
    outbox.addOutcome(leaseOf(2), new Report(), failureOf(leaseOf(2), new Error('no')));
    const sent = outbox.takeSettle()!;
    expect(sent).toMatchObject({ complete: [{ result: { n: 1 } }], fail: [{ code: 'HANDLER_ERROR', message: 'no' }] });
    expect(outbox.takeSettle()).toBeUndefined();
    expect([...outbox.ended()].map(({ lease }) => lease.taskId)).toEqual(['task-1', 'task-2']);

    outbox.resend();
    outbox.drop(new Set(['token-2']));
    const again = outbox.takeSettle()!;
    expect(again.settleId).not.toBe(sent.settleId);
    expect(again.complete).toHaveLength(1);
    expect(again.fail).toHaveLength(0);
    outbox.acknowledge(again.settleId);
    expect(outbox.isEmpty).toBe(true);
  });

  test('holds a result back until what its attempt said is told', () => {
    const outbox = new Outbox();
    const report = new Report();
    report.progress(50, 'half');
    outbox.addOutcome(leaseOf(1), report, resultOf(leaseOf(1), 1));
    outbox.addOutcome(leaseOf(2), new Report(), resultOf(leaseOf(2), 2));
    expect(outbox.needsReport).toBe(true);
    expect(outbox.takeSettle()!.complete.map(({ result }) => result as number)).toEqual([2]);
    expect(report.take(leaseOf(1))).toMatchObject({ progress: 50, progressMessage: 'half' });
    expect(outbox.takeSettle()!.complete.map(({ result }) => result as number)).toEqual([1]);
  });

  test('fills messages up to what the server takes, and always with something', () => {
    const outbox = new Outbox();
    const text = 'x'.repeat(1_000_000);
    for (let number = 0; number < 3; number++) outbox.addOutcome(leaseOf(number), new Report(), resultOf(leaseOf(number), text));
    expect(outbox.takeSettle()!.complete).toHaveLength(1);
    for (let number = 3; number < 2_000; number++) outbox.addOutcome(leaseOf(number), new Report(), resultOf(leaseOf(number), 1));
    expect(outbox.takeSettle()!.complete).toHaveLength(1);
    expect(outbox.takeSettle()!.complete.length).toBeLessThanOrEqual(1_000);
    for (let number = 0; number < 1_500; number++) outbox.addLine({ lease: leaseOf(1), level: 'info', message: 'x' });
    expect([outbox.takeLines().length, outbox.takeLines().length, outbox.hasLines]).toEqual([1_000, 500, false]);
  });
});
