import { invalid } from '../../errors/coded-error.js';
import { validateInput } from '../../input/validate.js';
import type { RuleDefinition, RuleKind, ThresholdSpec } from './rule.js';
import { ExpectationSpecDto, ThresholdSpecDto } from './rule-specs.dto.js';

/** The valid spec of a kind with all its defaults; throws `VALIDATION_FAILED` naming `spec.…`. */
export function checkSpec(kind: RuleKind, spec: Record<string, unknown>): RuleDefinition {
  if (kind === 'expectation') return { kind, spec: { ...validateInput(ExpectationSpecDto, spec, 'spec') } };
  const checked = { ...validateInput(ThresholdSpecDto, spec, 'spec') };
  const problem = recoveryProblem(checked);
  if (problem) throw invalid([{ field: 'spec.recovery_threshold', message: problem }]);
  return { kind, spec: checked };
}

/** The definition after a change: null takes a field back to its default; as `group_by` it is a value of its own. */
export function changedSpec({ kind, spec }: RuleDefinition, change: Record<string, unknown>): RuleDefinition {
  const merged = Object.entries({ ...spec, ...change }).filter(([key, value]) => value !== null || key === 'group_by' || !(key in change));
  return checkSpec(kind, Object.fromEntries(merged));
}

/** What is known of the series, and their alerts, says nothing of the rule any more. */
export function isAnother(before: RuleDefinition, after: RuleDefinition): boolean {
  // The database has an order of its own for the keys of an object.
  const identity = ({ spec: { metric, matchers, group_by, labels } }: RuleDefinition) =>
    JSON.stringify([metric, matchers.map(({ label, operator, value }) => [label, operator, value]), group_by, sorted(labels)]);
  return identity(before) !== identity(after);
}

function sorted(labels: Record<string, string>): [string, string][] {
  return Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1));
}

function recoveryProblem({ comparator, threshold, recovery_threshold: recovery }: ThresholdSpec): string | undefined {
  if (recovery === null) return undefined;
  switch (comparator) {
    case '>':
    case '>=':
      return recovery <= threshold ? undefined : 'must not be above threshold';
    case '<':
    case '<=':
      return recovery >= threshold ? undefined : 'must not be below threshold';
    default:
      return `must be null with the comparator ${comparator}`;
  }
}
