import { CodedError, type FieldError } from '../errors/coded-error.js';
import { errorCodes, type ErrorCode } from '../errors/error-codes.js';
import { translateError } from './translate-error.js';

/** An error as every door shows it: the body of RFC 9457 answers and the `error` of Socket.IO acks. */
export interface Problem {
  /** A relative reference to the description of the code. */
  type: string;
  title: string;
  status: number;
  detail: string;
  code: ErrorCode;
  errors?: FieldError[];
  request_id?: string;
}

/** Translates whatever was thrown. What the client must not see is replaced by a general sentence. */
export function toProblem(error: unknown, requestId?: string): Problem {
  const { error: coded, status } = error instanceof CodedError ? { error, status: undefined } : translateError(error);
  const { http, title } = errorCodes[coded.code];
  return {
    type: `/docs/errors#${coded.code}`,
    title,
    status: status ?? http,
    detail: coded.message,
    code: coded.code,
    ...(coded.fields.length > 0 && { errors: coded.fields }),
    ...(requestId !== undefined && { request_id: requestId }),
  };
}

/** The HTTP headers that belong to a problem, beside the body. */
export function problemHeaders(problem: Problem): Record<string, string> {
  return {
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
    ...(problem.code === 'UNAUTHENTICATED' && { 'www-authenticate': 'Bearer realm="arkitect"' }),
    ...(problem.code === 'UNAVAILABLE' && { 'retry-after': '1' }),
  };
}
