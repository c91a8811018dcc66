import { RE2JS } from 're2js';
import type { Labels } from './alert.js';

export const operators = ['=', '!=', '=~', '!~'] as const;

/** A condition on one label. An absent label is an empty one; regular expressions match all of the value. */
export interface Matcher {
  label: string;
  operator: (typeof operators)[number];
  value: string;
}

/** Compiled once for each expression there is. RE2, as what users write must not be able to stop the server. */
const compiled = new Map<string, RE2JS>();
const maxCompiled = 10_000;

function expression(pattern: string): RE2JS {
  let found = compiled.get(pattern);
  if (!found) {
    if (compiled.size >= maxCompiled) compiled.clear();
    found = RE2JS.compile(pattern);
    compiled.set(pattern, found);
  }
  return found;
}

/** Why `pattern` is no regular expression, or undefined. */
export function expressionProblem(pattern: string): string | undefined {
  try {
    expression(pattern);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

export function matchesAll(matchers: readonly Matcher[], labels: Labels): boolean {
  return matchers.every(({ label, operator, value }) => {
    const actual = Object.hasOwn(labels, label) ? labels[label]! : '';
    switch (operator) {
      case '=':
        return actual === value;
      case '!=':
        return actual !== value;
      case '=~':
        return expression(value).matches(actual);
      case '!~':
        return !expression(value).matches(actual);
    }
  });
}
