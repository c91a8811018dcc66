import type { ExpectationRule, ExpectationSpec, ThresholdRule, ThresholdSpec } from '../../src/alerts/rules/rule.js';

const common = {
  metric: 'm',
  matchers: [],
  for_seconds: 0,
  keep_firing_seconds: 0,
  severity: 'warning',
  labels: {},
  annotations: {},
  runbook_url: null,
} as const;

/** `value > 10`, without anything else. */
export function aThreshold(spec: Partial<ThresholdSpec> = {}): Pick<ThresholdRule, 'kind' | 'spec'> {
  return {
    kind: 'threshold',
    spec: {
      ...common,
      matchers: [],
      group_by: null,
      aggregation: 'last',
      window_seconds: 60,
      group_aggregation: 'sum',
      comparator: '>',
      threshold: 10,
      recovery_threshold: null,
      no_data: 'ok',
      min_samples: 1,
      ...spec,
    },
  };
}

/** The total grows by one within ten minutes. */
export function anExpectation(spec: Partial<ExpectationSpec> = {}): Pick<ExpectationRule, 'kind' | 'spec'> {
  return { kind: 'expectation', spec: { ...common, matchers: [], group_by: [], at_least: 1, within_seconds: 600, ...spec } };
}
