import { isTextError, isTransient } from '../database/database-errors.js';
import { CodedError } from '../errors/coded-error.js';

/** The coded error of a failure of the database or of the way to it, or `undefined` for any other error. */
export function translateDatabaseError(error: object): CodedError | undefined {
  if (isTextError(error)) {
    return new CodedError('VALIDATION_FAILED', 'A value holds characters or a form that the database cannot store.', [], { cause: error });
  }
  if (!isTransient(error)) return undefined;
  return new CodedError('UNAVAILABLE', 'The database cannot answer right now. Try again in a moment.', [], { cause: error });
}
