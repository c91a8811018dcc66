import type { Labels, Severity } from '../alert.js';
import type { Matcher } from '../matchers.js';

/** A rule says when an alert is raised. Domain types. Times are in seconds where the name says so, else milliseconds since the epoch. */

export const ruleKinds = ['threshold', 'expectation'] as const;
/** A value that is beyond a limit, or a total that did not grow. */
export type RuleKind = (typeof ruleKinds)[number];

export const aggregations = ['last', 'avg', 'min', 'max', 'sum', 'count', 'increase', 'rate'] as const;
/** How the points of a series within the window become one value; `increase` and `rate` are for totals, and know of restarts. */
export type Aggregation = (typeof aggregations)[number];

export const comparators = ['>', '>=', '<', '<=', '==', '!='] as const;
export type Comparator = (typeof comparators)[number];

export const noDataPolicies = ['ok', 'alert', 'keep'] as const;
/** What a series without points means: all is well, the condition holds, or nothing new. */
export type NoDataPolicy = (typeof noDataPolicies)[number];

export const groupAggregations = ['sum', 'avg', 'min', 'max'] as const;
export type GroupAggregation = (typeof groupAggregations)[number];

/** Which series a rule looks at, and what its alerts say. */
interface CommonSpec {
  metric: string;
  matchers: Matcher[];
  /** Series with the same values of these labels are one; null leaves every series alone, [] makes all of them one. */
  group_by: string[] | null;
  /** How long the condition must hold before the alert is raised. */
  for_seconds: number;
  /** How long the condition must be gone before the alert ends. */
  keep_firing_seconds: number;
  severity: Severity;
  labels: Labels;
  /** Liquid templates that see `value`, `labels`, `threshold` and `rule`. */
  annotations: Labels;
  runbook_url: string | null;
}

export interface ThresholdSpec extends CommonSpec {
  aggregation: Aggregation;
  window_seconds: number;
  group_aggregation: GroupAggregation;
  comparator: Comparator;
  threshold: number;
  /** A raised alert lasts until the value is on the good side of this one; null: of the threshold. */
  recovery_threshold: number | null;
  no_data: NoDataPolicy;
  /** Fewer points than this in the window are as good as none. */
  min_samples: number;
}

export interface ExpectationSpec extends CommonSpec {
  /** The total must grow by so much … */
  at_least: number;
  /** … within this time. */
  within_seconds: number;
}

interface RuleFields {
  tenant_id: string;
  id: string;
  name: string;
  /** Whether it came with the server. */
  origin: 'default' | 'own';
  enabled: boolean;
  /** Since when it looks at what it looks at now. RFC 3339. */
  watched_since: string;
  created_by: string;
  created_at: string;
  updated_at: string;
  version: number;
}

export type ThresholdRule = RuleFields & { kind: 'threshold'; spec: ThresholdSpec };
export type ExpectationRule = RuleFields & { kind: 'expectation'; spec: ExpectationSpec };
export type Rule = ThresholdRule | ExpectationRule;

export const raisedStates = ['firing', 'recovering'] as const;
export const seriesStates = ['pending', ...raisedStates] as const;
export type SeriesState = (typeof seriesStates)[number];

/** What a rule knows of one of its series from one evaluation to the next; a series at rest has none. */
export interface RuleState {
  /** Fingerprint of the series or group. */
  series: string;
  labels: Labels;
  state: SeriesState;
  /** When it got into this state. */
  since: number;
  /** What was measured then; null without data. */
  value: number | null;
}

export function isRaised(state: RuleState | undefined): boolean {
  return state !== undefined && state.state !== 'pending';
}

export function windowSeconds(rule: RuleDefinition): number {
  return rule.kind === 'threshold' ? rule.spec.window_seconds : rule.spec.within_seconds;
}

export function aggregationOf(rule: RuleDefinition): Aggregation {
  return rule.kind === 'threshold' ? rule.spec.aggregation : 'increase';
}

/** What a rule is about, without how it is stored. */
export type RuleDefinition = Pick<ThresholdRule, 'kind' | 'spec'> | Pick<ExpectationRule, 'kind' | 'spec'>;
