import type { Labels } from '../alert.js';
import { renderTemplate, templateProblem } from '../channels/template.js';
import type { Rule } from './rule.js';

const maxLength = 4_000;

/** What templates see. */
function dataOf({ name, spec }: Pick<Rule, 'name' | 'spec'>, labels: Labels, value: number | null): object {
  return { value, labels, threshold: 'threshold' in spec ? spec.threshold : spec.at_least, rule: name };
}

/** The annotations of an alert. A template that cannot be filled in with these values is shown as it is: the alert matters more. */
export function rendered(rule: Pick<Rule, 'name' | 'spec'>, labels: Labels, value: number | null): Labels {
  const data = dataOf(rule, labels, value);
  return Object.fromEntries(Object.entries(rule.spec.annotations).map(([key, text]) => [key, filledIn(text, data)]));
}

function filledIn(text: string, data: object): string {
  try {
    return renderTemplate(text, data).slice(0, maxLength);
  } catch {
    return text;
  }
}

/** What is wrong with a template, or undefined. */
export function annotationProblem(text: string): string | undefined {
  return templateProblem(text, { value: 1, labels: { queue: 'default' }, threshold: 1, rule: 'Rule' });
}
