import type { FieldError } from '../errors/coded-error.js';
import { Choice, isLabelKey, isText, Items, TextValue } from '../input/fields.js';
import { expressionProblem, operators, type Matcher } from './matchers.js';

const maxMatchers = 20;

/** A condition on one label of alerts. */
export class MatcherDto implements Matcher {
  @TextValue({
    max: 63,
    description: 'A label, or `alertname`, `severity` or `source`.',
    example: 'host',
    accepts: 'the key of a label',
    test: isLabelKey,
  })
  label: string;

  @Choice({ values: operators, description: 'Equal, not equal, matches all of the regular expression (RE2), or does not.', example: '=~' })
  operator: Matcher['operator'];

  @TextValue({
    max: 1_024,
    description: 'What the label is compared with; an absent label is an empty one.',
    example: 'db-.*',
    accepts: 'text of at most 1024 characters',
    test: isText,
  })
  value: string;
}

/** All must match. */
export function Matchers(options: { min?: number; optional?: boolean; default?: object[]; description: string }): PropertyDecorator {
  return Items(MatcherDto, { max: maxMatchers, ...options });
}

/** What is wrong with the expressions of valid matchers; `field` is where they are. */
export function matcherProblems(matchers: readonly Matcher[], field: string): FieldError[] {
  return matchers.flatMap(({ operator, value }, index) => {
    const problem = operator.endsWith('~') ? expressionProblem(value) : undefined;
    return problem ? [{ field: `${field}[${index}].value`, message: `must be a regular expression of RE2: ${problem}` }] : [];
  });
}
