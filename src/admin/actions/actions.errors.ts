import { CodedError, invalid } from '../../errors/coded-error.js';
import { errorCodes, type ErrorCode } from '../../errors/error-codes.js';
import type { Action, RunError } from './action.js';

export function runNotFound(id: string): CodedError {
  return new CodedError('NOT_FOUND', `There is no run ${id} of an action. GET /admin/actions/runs lists those that there are.`);
}

export function noFile(id: string): CodedError {
  return new CodedError(
    'NOT_FOUND',
    `The run ${id} has nothing to download: it leaves no file, is not finished, or ended more than an hour ago.`,
  );
}

export function roleTooLow({ name, role }: Action, has: string): CodedError {
  return new CodedError('FORBIDDEN', `The role ${has} does not allow ${name}. Use a token of ${role}.`);
}

export function replicaNotFound(id: string, running: string[]): CodedError {
  return new CodedError('NOT_FOUND', `There is no replica ${id} that runs. Running are: ${running.join(', ')}.`);
}

export function noDryRun({ name }: Action): CodedError {
  return invalid([{ field: 'dry_run', message: `must be false: ${name} has no dry run` }]);
}

/** `problem` completes "confirm …". */
export function badConfirm({ name }: Action, problem: string): CodedError {
  return invalid([{ field: 'confirm', message: `${problem}; send ${name} with these parameters and "dry_run": true for another one` }]);
}

/** What is kept of a failure, for those who read the run. `undefined` for what we did not foresee. */
export function toRunError(error: unknown): RunError | undefined {
  if (!(error instanceof CodedError)) return undefined;
  const { code, message, fields } = error;
  return { code, message, ...(fields.length > 0 && { fields }) };
}

/** The same failure again. */
export function fromRunError({ code, message, fields = [] }: RunError): CodedError {
  return new CodedError(Object.hasOwn(errorCodes, code) ? (code as ErrorCode) : 'INTERNAL', message, fields);
}
