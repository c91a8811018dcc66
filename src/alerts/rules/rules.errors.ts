import { CodedError } from '../../errors/coded-error.js';
import type { Rule } from './rule.js';

export function ruleNotFound(id: string): CodedError {
  return new CodedError('NOT_FOUND', `There is no alert rule ${id}. It may have been deleted, or belong to another tenant.`);
}

export function ruleNameTaken(name: string): CodedError {
  return new CodedError('CONFLICT', `There is an alert rule ${name} already; choose another name, or change that one.`);
}

export function tooManyRules(max: number): CodedError {
  return new CodedError(
    'CONFLICT',
    `There are ${max} alert rules already, which is the limit; delete one, or let one rule look at more series.`,
  );
}

export function ruleVersionMismatch({ id, version }: Pick<Rule, 'id' | 'version'>, expected: number): CodedError {
  return new CodedError(
    'VERSION_MISMATCH',
    `Alert rule ${id} is at version ${version}, not ${expected}. Read it again and repeat your change on what you find.`,
  );
}
