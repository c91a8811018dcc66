import { CodedError } from '../../errors/coded-error.js';
import type { Silence } from './silence.js';

export function silenceNotFound(id: string): CodedError {
  return new CodedError(
    'NOT_FOUND',
    `There is no silence ${id}. It may have left after ALERTS_RETENTION_DAYS, or belong to another tenant.`,
  );
}

export function silenceIsOver({ id, ends_at }: Silence): CodedError {
  return new CodedError('CONFLICT', `Silence ${id} is over since ${ends_at}; create another one.`);
}

export function silenceHasBegun({ id }: Silence, field: string): CodedError {
  return new CodedError('CONFLICT', `Silence ${id} has begun, so ${field} cannot be changed; end it and create another one.`);
}

export function tooManySilences(most: number): CodedError {
  return new CodedError('CONFLICT', `There are ${most} silences that are not over already; end some of them first.`);
}

export function silenceVersionMismatch({ id, version }: Silence, expected: number): CodedError {
  return new CodedError(
    'VERSION_MISMATCH',
    `Silence ${id} is at version ${version}, not ${expected}. Read it again and repeat your change on what you find.`,
  );
}
