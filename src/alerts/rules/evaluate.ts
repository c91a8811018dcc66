import type { Labels } from '../alert.js';
import type { Comparator, ExpectationSpec, RuleDefinition, RuleState, SeriesState, ThresholdSpec } from './rule.js';
import { isRaised } from './rule.js';

/** A series, or a group of them, as measured now. */
export interface Target {
  fingerprint: string;
  labels: Labels;
  /** Undefined: too few points. */
  value: number | undefined;
}

/** The moment of an evaluation, in milliseconds. */
export interface Moment {
  now: number;
  /** For how long samples have come without a gap, and the rule has been there: what is absent is known to be absent only after its window. */
  watched: number;
}

/** A series that is in another state than before. */
export interface Transition {
  before: RuleState | undefined;
  /** Undefined: at rest. */
  after: RuleState | undefined;
}

/**
 * One evaluation of a rule. Pure: what it knows of before is in `states`, by fingerprint; `targets` are all that were seen within the
 * time that the rule remembers, and a state whose target is not among them ends.
 */
export function evaluate(
  rule: RuleDefinition,
  targets: Iterable<Target>,
  states: ReadonlyMap<string, RuleState>,
  moment: Moment,
): Transition[] {
  const transitions: Transition[] = [];
  let met = 0;
  const seen = new Set<string>();
  for (const target of targets) {
    const before = states.get(target.fingerprint);
    const holds = conditionHolds(rule, target.value, isRaised(before), moment);
    if (before) {
      met += 1;
      seen.add(target.fingerprint);
    } else if (holds !== true) continue;
    const after = nextState(rule, before, target, holds, moment.now);
    if (after !== before) transitions.push({ before, after });
  }
  if (met < states.size) {
    for (const [fingerprint, before] of states) if (!seen.has(fingerprint)) transitions.push({ before, after: undefined });
  }
  return transitions;
}

/** Undefined: nobody knows, so all stays as it is. */
function conditionHolds(rule: RuleDefinition, value: number | undefined, raised: boolean, moment: Moment): boolean | undefined {
  return rule.kind === 'threshold' ? isBeyond(rule.spec, value, raised, moment) : isMissed(rule.spec, value, moment);
}

function isBeyond(spec: ThresholdSpec, value: number | undefined, raised: boolean, { watched }: Moment): boolean | undefined {
  if (value !== undefined) {
    const limit = raised ? (spec.recovery_threshold ?? spec.threshold) : spec.threshold;
    return compare(value, spec.comparator, limit);
  }
  if (spec.no_data === 'keep' || watched < spec.window_seconds * 1_000) return undefined;
  return spec.no_data === 'alert';
}

function isMissed({ at_least, within_seconds }: ExpectationSpec, grown: number | undefined, { watched }: Moment): boolean | undefined {
  if ((grown ?? 0) >= at_least) return false;
  return watched >= within_seconds * 1_000 ? true : undefined;
}

function nextState(
  { spec }: RuleDefinition,
  before: RuleState | undefined,
  { fingerprint, labels, value }: Target,
  holds: boolean | undefined,
  now: number,
): RuleState | undefined {
  if (holds === undefined) return before;
  const as = (state: SeriesState): RuleState => ({ series: fingerprint, labels, state, since: now, value: value ?? null });
  const lasted = (seconds: number) => now - before!.since >= seconds * 1_000;
  switch (before?.state) {
    case undefined:
      return holds ? as(spec.for_seconds > 0 ? 'pending' : 'firing') : undefined;
    case 'pending':
      if (!holds) return undefined;
      return lasted(spec.for_seconds) ? as('firing') : before;
    case 'firing':
      if (holds) return before;
      return spec.keep_firing_seconds > 0 ? as('recovering') : undefined;
    case 'recovering':
      if (holds) return as('firing');
      return lasted(spec.keep_firing_seconds) ? undefined : before;
  }
}

export function compare(value: number, comparator: Comparator, threshold: number): boolean {
  switch (comparator) {
    case '>':
      return value > threshold;
    case '>=':
      return value >= threshold;
    case '<':
      return value < threshold;
    case '<=':
      return value <= threshold;
    case '==':
      return value === threshold;
    case '!=':
      return value !== threshold;
  }
}
