import type { Labels } from '../alert.js';
import { renderTemplate, templateProblem } from '../channels/template.js';
import type { Rule } from './rule.js';

const maxLength = 4_000;
/** Templates come from users: those of one rule may not keep the event loop from everybody else. */
const budgetMs = 100;

/** Writes the annotations of one rule's alerts, in one evaluation. */
export class RuleAnnotations {
  private spentMs = 0;

  constructor(private readonly rule: Pick<Rule, 'name' | 'spec'>) {}

  /** A template that cannot be filled in, or takes too long, is shown as it is: the alert matters more. */
  of(labels: Labels, value: number | null): Labels {
    const { name, spec } = this.rule;
    const data = { value, labels, threshold: 'threshold' in spec ? spec.threshold : spec.at_least, rule: name };
    return Object.fromEntries(Object.entries(spec.annotations).map(([key, text]) => [key, this.filledIn(text, data)]));
  }

  private filledIn(text: string, data: object): string {
    if (this.spentMs > budgetMs) return text;
    const begun = performance.now();
    try {
      return storable(renderTemplate(text, data).slice(0, maxLength));
    } catch {
      return text;
    } finally {
      this.spentMs += performance.now() - begun;
    }
  }
}

/** The database takes neither NUL nor half a character, and would refuse every alert of the same transaction. */
function storable(text: string): string {
  return text.replaceAll('\u0000', '').toWellFormed();
}

/** What is wrong with a template, or undefined. */
export function annotationProblem(text: string): string | undefined {
  return templateProblem(text, { value: 1, labels: { queue: 'default' }, threshold: 1, rule: 'Rule' });
}
