import type { ErrorCode } from './error-codes.js';

/** One bad field: its path as the client wrote it (`parameters.url`), and what would be accepted. */
export interface FieldError {
  field: string;
  message: string;
}

/** The one error class of services and engine. Doors translate it by the table in `error-codes.ts`. */
export class CodedError extends Error {
  constructor(
    readonly code: ErrorCode,
    /** A full sentence for the caller: what is wrong and what to do next. */
    detail: string,
    readonly fields: FieldError[] = [],
    options?: ErrorOptions,
  ) {
    super(detail, options);
    this.name = 'CodedError';
  }
}

export function invalid(fields: FieldError[]): CodedError {
  const detail = fields.map(({ field, message }) => `${field}: ${message}`).join('; ');
  return new CodedError('VALIDATION_FAILED', detail, fields);
}
