import { CodedError } from '../errors/coded-error.js';
import type { Alert } from './alert.js';

export function alertNotFound(id: string): CodedError {
  return new CodedError('NOT_FOUND', `There is no alert ${id}. It may have left after ALERTS_RETENTION_DAYS, or belong to another tenant.`);
}

export function alertIsOver(alert: Alert, verb: string): CodedError {
  return new CodedError(
    'CONFLICT',
    `Alert ${alert.id} is resolved since ${alert.resolved_at}; only an alert that is open or acknowledged can be ${verb}.`,
  );
}
