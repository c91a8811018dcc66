import { severities, type Labels as LabelMap, type Severity } from '../alert.js';
import { expressionProblem, operators, type Matcher } from '../matchers.js';
import {
  Checked,
  Choice,
  Decimal,
  isLabelKey,
  isLabelValue,
  isText,
  Labels,
  labelKeyPattern,
  MetricName,
  Whole,
} from '../../input/fields.js';
import { Raw } from '../../input/validate.js';
import {
  aggregations,
  comparators,
  groupAggregations,
  noDataPolicies,
  type Aggregation,
  type Comparator,
  type ExpectationSpec,
  type GroupAggregation,
  type NoDataPolicy,
  type ThresholdSpec,
} from './rule.js';
import { annotationProblem } from './rule-annotations.js';

/* What the `spec` of each kind of rule takes. */

const maxMatchers = 20;
const maxExpression = 500;
const maxGroupBy = 10;
const maxAnnotations = 20;
const maxTemplate = 2_000;
const monthSeconds = 2_592_000;
const daySeconds = 86_400;
const most = 1e300;

const matcherRule = `must be a list of at most ${maxMatchers} matchers such as {"label": "queue", "operator": "=", "value": "default"}; operators are ${operators.join(' ')}`;

function matchersProblem(value: unknown): string | undefined {
  if (!Array.isArray(value) || value.length > maxMatchers) return matcherRule;
  return value.map(matcherProblem).find((problem) => problem !== undefined);
}

function matcherProblem(matcher: unknown): string | undefined {
  if (typeof matcher !== 'object' || matcher === null || Object.keys(matcher).toSorted().join() !== 'label,operator,value')
    return matcherRule;
  const { label, operator, value } = matcher as Record<keyof Matcher, unknown>;
  if (typeof label !== 'string' || !isLabelKey(label)) return matcherRule;
  if (typeof value !== 'string' || !(operators as readonly unknown[]).includes(operator)) return matcherRule;
  if (operator === '=' || operator === '!=') return isLabelValue(value) ? undefined : 'must hold values of at most 255 characters';
  if (value.length > maxExpression) return `must hold regular expressions of at most ${maxExpression} characters`;
  const problem = expressionProblem(value);
  return problem && `must hold regular expressions in the syntax of RE2: ${problem}`;
}

function groupByProblem(value: unknown): string | undefined {
  if (value === null) return undefined;
  const isList =
    Array.isArray(value) && value.length <= maxGroupBy && value.every((label) => typeof label === 'string' && isLabelKey(label));
  return isList && new Set(value).size === value.length ? undefined : `must be null, or a list of at most ${maxGroupBy} different labels`;
}

function annotationsProblem(value: unknown): string | undefined {
  const entries = typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : undefined;
  if (!entries || entries.length > maxAnnotations || !entries.every(([key, text]) => isLabelKey(key) && typeof text === 'string'))
    return `must be an object of at most ${maxAnnotations} annotations; a key is 1 to 63 of A-Z a-z 0-9 . _ / -, a value is text`;
  for (const [key, text] of entries as [string, string][]) {
    if (text.length > maxTemplate || !isText(text)) return `must hold text of at most ${maxTemplate} characters; ${key} does not`;
    const problem = annotationProblem(text);
    if (problem) return `must hold Liquid templates that can be filled in; ${key} cannot: ${problem}`;
  }
  return undefined;
}

function urlProblem(value: unknown): string | undefined {
  if (value === null) return undefined;
  const url = typeof value === 'string' && value.length <= 2_000 ? URL.parse(value) : null;
  return url && /^https?:$/.test(url.protocol) ? undefined : 'must be null, or an http:// or https:// URL of at most 2000 characters';
}

const matcherSchema = {
  type: 'object',
  properties: {
    label: { type: 'string', pattern: labelKeyPattern.source },
    operator: { type: 'string', enum: [...operators] },
    value: { type: 'string', maxLength: maxExpression },
  },
  required: ['label', 'operator', 'value'],
  additionalProperties: false,
} as const;

class CommonSpecDto {
  @MetricName({ description: 'Which metric of the history; GET /metrics/history/names lists them.', example: 'arkitect_tasks' })
  metric: string;

  @Raw()
  @Checked(
    {
      required: false,
      type: 'array',
      items: matcherSchema,
      maxItems: maxMatchers,
      default: [],
      description: 'Which of its series: all must hold. An absent label is an empty one; regular expressions (RE2) match all of a value.',
      example: [{ label: 'status', operator: '=', value: 'queued' }],
    },
    matchersProblem,
  )
  matchers: Matcher[] = [];

  @Whole({
    min: 0,
    max: 7 * daySeconds,
    optional: true,
    default: 0,
    description: 'How long the condition must hold before the alert is raised.',
    example: 300,
  })
  for_seconds: number = 0;

  @Whole({
    min: 0,
    max: 7 * daySeconds,
    optional: true,
    default: 0,
    description: 'How long the condition must be gone before the alert ends.',
    example: 60,
  })
  keep_firing_seconds: number = 0;

  @Choice({ values: severities, optional: true, default: 'warning', description: 'Of its alerts.' })
  severity: Severity = 'warning';

  @Labels({ optional: true, default: {}, description: 'Added to the labels of the series in its alerts.', example: { team: 'platform' } })
  labels: LabelMap = {};

  @Raw()
  @Checked(
    {
      required: false,
      type: 'object',
      additionalProperties: { type: 'string', maxLength: maxTemplate },
      default: {},
      description: 'What people should know: Liquid templates that see `value`, `labels`, `threshold` and `rule`.',
      example: { summary: '{{ value | round }} tasks wait in {{ labels.queue }}.' },
    },
    annotationsProblem,
  )
  annotations: LabelMap = {};

  @Checked({ required: false, nullable: true, default: null, description: 'Where to read what to do.', example: null }, urlProblem)
  runbook_url: string | null = null;
}

const groupBy = {
  required: false,
  type: 'array',
  items: { type: 'string' },
  maxItems: maxGroupBy,
  nullable: true,
} as const;

export class ThresholdSpecDto extends CommonSpecDto implements ThresholdSpec {
  @Raw()
  @Checked(
    {
      ...groupBy,
      default: null,
      description: 'Series with the same values of these labels are one; null leaves every series alone, [] makes all of them one.',
      example: ['queue'],
    },
    groupByProblem,
  )
  group_by: string[] | null = null;

  @Choice({
    values: aggregations,
    optional: true,
    default: 'last',
    description: 'How the points of a series within the window become one value; increase and rate (per second) are for totals.',
  })
  aggregation: Aggregation = 'last';

  @Whole({
    min: 10,
    max: monthSeconds,
    optional: true,
    default: 60,
    description: 'The window: up to an hour in steps of 10 seconds, up to six hours of a minute, beyond of an hour.',
    example: 300,
  })
  window_seconds: number = 60;

  @Choice({ values: groupAggregations, optional: true, default: 'sum', description: 'How the values of a group become one.' })
  group_aggregation: GroupAggregation = 'sum';

  @Choice({ values: comparators, optional: true, default: '>', description: 'How value and threshold are compared.' })
  comparator: Comparator = '>';

  @Decimal({ min: -most, max: most, description: 'The limit.', example: 1_000 })
  threshold: number;

  @Decimal({
    min: -most,
    max: most,
    optional: true,
    nullable: true,
    default: null,
    description: 'A raised alert lasts until the value is on the good side of this one; null: of the threshold.',
    example: 500,
  })
  recovery_threshold: number | null = null;

  @Choice({
    values: noDataPolicies,
    optional: true,
    default: 'ok',
    description: 'What a series without points means: all is well, the condition holds, or nothing new. It is forgotten after a day.',
  })
  no_data: NoDataPolicy = 'ok';

  @Whole({
    min: 1,
    max: 360,
    optional: true,
    default: 1,
    description: 'Fewer points than this in the window are as good as none.',
    example: 3,
  })
  min_samples: number = 1;
}

export class ExpectationSpecDto extends CommonSpecDto implements ExpectationSpec {
  @Raw()
  @Checked(
    {
      ...groupBy,
      default: [],
      description: 'Each combination of these labels is expected to grow; [] takes all series together, null each alone.',
      example: ['type'],
    },
    groupByProblem,
  )
  group_by: string[] | null = [];

  @Decimal({ min: 1e-300, max: most, optional: true, default: 1, description: 'The total must grow by so much.', example: 1 })
  at_least: number = 1;

  @Whole({ min: 60, max: monthSeconds, description: 'Within this time.', example: 1_800 })
  within_seconds: number;
}
