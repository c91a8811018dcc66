import fc from 'fast-check';
import { expect, test } from 'vitest';
import { aThreshold, anExpectation } from '../../../test/support/rules.js';
import { compare, evaluate, type Moment, type Transition } from './evaluate.js';
import { isRaised, type RuleDefinition, type RuleState, type ThresholdSpec } from './rule.js';

const runs = 500;
const forgotten = Symbol('forgotten');
/** What is measured of a series at one evaluation; `forgotten` when it was silent for longer than the rule remembers. */
type Measured = number | undefined | typeof forgotten;

/** The rule's memory, as the evaluator keeps it. */
class Memory {
  readonly states = new Map<string, RuleState>();

  step(rule: RuleDefinition, values: Record<string, Measured>, moment: Moment): Transition[] {
    const targets = Object.entries(values).flatMap(([series, value]) =>
      value === forgotten ? [] : [{ fingerprint: series, labels: { series }, value }],
    );
    const transitions = evaluate(rule, targets, this.states, moment);
    for (const { before, after } of transitions) {
      if (after) this.states.set(after.series, after);
      else this.states.delete(before!.series);
    }
    return transitions;
  }
}

/** Which state one series is in after each evaluation, ten seconds apart. */
function statesOf(rule: RuleDefinition, values: Measured[], watched = Infinity): string[] {
  const memory = new Memory();
  return values.map((value, index) => {
    memory.step(rule, { a: value }, { now: index * 10_000, watched });
    return memory.states.get('a')?.state ?? 'ok';
  });
}

test('an alert is raised when the condition has held for long enough', () => {
  expect(statesOf(aThreshold({ for_seconds: 20 }), [11, 11, 11, 11, 9])).toEqual(['pending', 'pending', 'firing', 'firing', 'ok']);
  expect(statesOf(aThreshold({ for_seconds: 20 }), [11, 11, 9, 11, 11])).toEqual(['pending', 'pending', 'ok', 'pending', 'pending']);
  expect(statesOf(aThreshold(), [11])).toEqual(['firing']);
});

test('it lasts until the value is on the good side of the recovery threshold', () => {
  expect(statesOf(aThreshold({ recovery_threshold: 5 }), [6, 11, 6, 11, 5, 6])).toEqual(['ok', 'firing', 'firing', 'firing', 'ok', 'ok']);
});

test('it ends when the condition has been gone for long enough', () => {
  const rule = aThreshold({ keep_firing_seconds: 20 });
  expect(statesOf(rule, [11, 1, 1, 1])).toEqual(['firing', 'recovering', 'recovering', 'ok']);
  expect(statesOf(rule, [11, 1, 11, 1, 1, 1])).toEqual(['firing', 'recovering', 'firing', 'recovering', 'recovering', 'ok']);
});

test('no data is what the policy says, once it has been watched for a window', () => {
  expect(statesOf(aThreshold({ no_data: 'ok' }), [11, undefined])).toEqual(['firing', 'ok']);
  expect(statesOf(aThreshold({ no_data: 'alert' }), [1, undefined, 1])).toEqual(['ok', 'firing', 'ok']);
  expect(statesOf(aThreshold({ no_data: 'keep' }), [11, undefined, undefined])).toEqual(['firing', 'firing', 'firing']);
  expect(statesOf(aThreshold({ no_data: 'alert' }), [1, undefined], 59_999)).toEqual(['ok', 'ok']);
  expect(statesOf(aThreshold({ no_data: 'ok' }), [11, undefined], 59_999)).toEqual(['firing', 'firing']);
});

test('what has been silent for too long is forgotten, whatever the policy', () => {
  for (const no_data of ['ok', 'alert', 'keep'] as const)
    expect(statesOf(aThreshold({ no_data, keep_firing_seconds: 600 }), [11, forgotten])).toEqual(['firing', 'ok']);
});

test('an expectation is missed when the total has not grown, and only once its time has been watched', () => {
  const rule = anExpectation({ at_least: 2 });
  expect(statesOf(rule, [2, 1, undefined, 2])).toEqual(['ok', 'firing', 'firing', 'ok']);
  expect(statesOf(rule, [undefined, 0], 599_999)).toEqual(['ok', 'ok']);
});

const specs: fc.Arbitrary<Partial<ThresholdSpec>> = fc
  .record({
    for_seconds: fc.constantFrom(0, 10, 25, 60),
    keep_firing_seconds: fc.constantFrom(0, 10, 35),
    no_data: fc.constantFrom('ok' as const, 'alert' as const, 'keep' as const),
    recovery_threshold: fc.constantFrom(null, 5, 10),
    comparator: fc.constantFrom('>' as const, '>=' as const),
  })
  .map((spec) => spec);
const measured: fc.Arbitrary<Measured> = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 20 }) },
  { weight: 2, arbitrary: fc.constant<Measured>(undefined) },
  { weight: 1, arbitrary: fc.constant<Measured>(forgotten) },
);
/** Evaluations of three series: seconds since the one before, for how long it was watched, and what was measured. */
const evaluations = fc.array(
  fc.record({
    seconds: fc.integer({ min: 1, max: 40 }),
    watched: fc.constantFrom(0, Infinity),
    values: fc.record({ a: measured, b: measured, c: measured }),
  }),
  { maxLength: 60 },
);
type Evaluations = typeof evaluations extends fc.Arbitrary<infer T> ? T : never;

interface Step {
  now: number;
  watched: number;
  value: Measured;
  transition: Transition | undefined;
}

/** What happened to one series. */
function run(rule: RuleDefinition, all: Evaluations, series: 'a' | 'b' | 'c', memory = new Memory()): Step[] {
  let now = 0;
  return all.map(({ seconds, watched, values }) => {
    now += seconds * 1_000;
    const transitions = memory.step(rule, values, { now, watched });
    return {
      now,
      watched,
      value: values[series],
      transition: transitions.find(({ before, after }) => (after ?? before)!.series === series),
    };
  });
}

test('raised and ended alternate, for each series by itself', () => {
  fc.assert(
    fc.property(specs, evaluations, fc.constantFrom('a', 'b', 'c'), (spec, all, series) => {
      let raised = false;
      for (const { transition } of run(aThreshold(spec), all, series)) {
        if (!transition) continue;
        expect(isRaised(transition.before)).toBe(raised);
        raised = isRaised(transition.after);
      }
      const nobody: Record<'a' | 'b' | 'c', Measured> = { a: forgotten, b: forgotten, c: forgotten };
      const alone = all.map((one) => ({ ...one, values: { ...nobody, [series]: one.values[series] } }));
      expect(run(aThreshold(spec), alone, series).map(({ transition }) => transition)).toEqual(
        run(aThreshold(spec), all, series).map(({ transition }) => transition),
      );
    }),
    { numRuns: runs },
  );
});

test('nothing is raised before the condition has held for so long, nor ended before it has been gone for so long', () => {
  fc.assert(
    fc.property(specs, evaluations, (spec, all) => {
      const rule = aThreshold(spec);
      const steps = run(rule, all, 'a');
      // What the condition was at each step, by a model that knows nothing of states; undefined: nobody knows.
      let raised = false;
      let holdsSince: number | undefined;
      let goneSince: number | undefined;
      for (const { now, watched, value, transition } of steps) {
        const limit = raised ? (rule.spec.recovery_threshold ?? 10) : 10;
        const known = typeof value === 'number' ? compare(value, rule.spec.comparator, limit) : whenAbsent(rule.spec, value, watched);
        if (known === true) holdsSince ??= now;
        if (known === false) holdsSince = undefined;
        if (known === false) goneSince ??= now;
        if (known === true) goneSince = undefined;
        const isUp: boolean = transition ? isRaised(transition.after) : raised;
        if (isUp && !raised) expect(now - holdsSince!).toBeGreaterThanOrEqual(rule.spec.for_seconds * 1_000);
        if (!isUp && raised && value !== forgotten) expect(now - goneSince!).toBeGreaterThanOrEqual(rule.spec.keep_firing_seconds * 1_000);
        if (!isUp && raised) holdsSince = undefined;
        if (isUp && !raised) goneSince = undefined;
        if (value === forgotten) holdsSince = goneSince = undefined;
        raised = isUp;
      }
    }),
    { numRuns: runs },
  );
});

function whenAbsent(spec: ThresholdSpec, value: Measured, watched: number): boolean | undefined {
  if (value === forgotten) return false;
  if (spec.no_data === 'keep' || watched < 60_000) return undefined;
  return spec.no_data === 'alert';
}

test('a raised alert never ends while its value is beyond the recovery threshold', () => {
  fc.assert(
    fc.property(specs, evaluations, (spec, all) => {
      const rule = aThreshold(spec);
      for (const { value, transition } of run(rule, all, 'a')) {
        if (typeof value !== 'number' || !isRaised(transition?.before) || isRaised(transition?.after)) continue;
        expect(compare(value, rule.spec.comparator, rule.spec.recovery_threshold ?? 10)).toBe(false);
      }
    }),
    { numRuns: runs },
  );
});

test('whoever goes on from the stored states comes to the same', () => {
  fc.assert(
    fc.property(specs, evaluations, fc.nat(60), (spec, all, at) => {
      const rule = aThreshold(spec);
      const through = run(rule, all, 'a').map(({ transition }) => transition);
      const first = new Memory();
      const begun = run(rule, all.slice(0, at), 'a', first);
      const second = new Memory();
      for (const [series, state] of JSON.parse(JSON.stringify([...first.states])) as [string, RuleState][])
        second.states.set(series, state);
      const since = begun.at(-1)?.now ?? 0;
      const rest = all.slice(at);
      let now = since;
      const continued = rest.map(({ seconds, watched, values }) => {
        now += seconds * 1_000;
        return second.step(rule, values, { now, watched }).find(({ before, after }) => (after ?? before)!.series === 'a');
      });
      expect([...begun.map(({ transition }) => transition), ...continued]).toEqual(through);
    }),
    { numRuns: runs },
  );
});

test('the same evaluation again changes nothing', () => {
  fc.assert(
    fc.property(specs, evaluations, (spec, all) => {
      const rule = aThreshold(spec);
      const memory = new Memory();
      let now = 0;
      for (const { seconds, watched, values } of all) {
        now += seconds * 1_000;
        memory.step(rule, values, { now, watched });
        expect(memory.step(rule, values, { now, watched })).toEqual([]);
      }
    }),
    { numRuns: runs },
  );
});
