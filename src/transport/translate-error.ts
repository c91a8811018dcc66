import { HttpException } from '@nestjs/common';
import { CodedError } from '../errors/coded-error.js';
import type { ErrorCode } from '../errors/error-codes.js';
import { translateDatabaseError } from './translate-database-error.js';

/** `status` only where HTTP has a number of its own for what never reaches a handler (408, 414, 431 …). */
export interface Translation {
  error: CodedError;
  status?: number;
}

/** Errors of Fastify and of Node's HTTP parser, by their `code`. */
const byCode: Record<string, [ErrorCode, string, status?: number]> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['PAYLOAD_TOO_LARGE', 'The body is larger than the 1 MiB that is accepted. Send less in one request.'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['UNSUPPORTED_MEDIA_TYPE', 'The body must be JSON, sent with "Content-Type: application/json".'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['MALFORMED_REQUEST', 'The body does not have the length that Content-Length announces.'],
  FST_ERR_BAD_URL: ['MALFORMED_REQUEST', 'The path is not valid percent-encoding. Write a literal percent sign as %25.'],
  FST_ERR_MAX_PARAM_LENGTH: ['MALFORMED_REQUEST', 'A part of the path is too long; no id here has more than 500 characters.', 414],
  HPE_HEADER_OVERFLOW: ['PAYLOAD_TOO_LARGE', 'The request line and headers are larger than the 16 KiB that are accepted.', 431],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: ['PAYLOAD_TOO_LARGE', 'The chunk extensions of the body are too large.'],
  ERR_HTTP_REQUEST_TIMEOUT: ['MALFORMED_REQUEST', 'The request did not arrive completely in time. Send it again.', 408],
};

/** What Nest itself throws, by HTTP status. Services throw `CodedError`, so few of these ever occur. */
const byStatus: Record<number, ErrorCode> = {
  400: 'MALFORMED_REQUEST',
  401: 'UNAUTHENTICATED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  405: 'METHOD_NOT_ALLOWED',
  406: 'NOT_ACCEPTABLE',
  409: 'CONFLICT',
  412: 'VERSION_MISMATCH',
  413: 'PAYLOAD_TOO_LARGE',
  415: 'UNSUPPORTED_MEDIA_TYPE',
  503: 'UNAVAILABLE',
};

export function translateError(error: unknown): Translation {
  // Nest wraps Fastify's errors into an HttpException that keeps the original as its cause.
  return known(error) ?? known((error as Error | undefined)?.cause) ?? fromStatus(error) ?? internal(error);
}

function known(error: unknown): Translation | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  if (error instanceof CodedError) return { error };
  const code = (error as { code?: unknown }).code;
  if (typeof code === 'string') {
    const entry = Object.hasOwn(byCode, code) ? byCode[code] : undefined;
    if (entry) return { error: new CodedError(entry[0], entry[1], [], { cause: error }), status: entry[2] };
    if (code.startsWith('HPE_')) {
      const reason = (error as { reason?: unknown }).reason;
      const detail = typeof reason === 'string' ? `The request is not valid HTTP: ${reason}.` : 'The request is not valid HTTP.';
      return { error: new CodedError('MALFORMED_REQUEST', detail, [], { cause: error }) };
    }
  }
  const coded = translateDatabaseError(error);
  return coded && { error: coded };
}

/** Any other refusal of Nest, Fastify or a plugin that names a 4xx status (or 503) and meant its message for the client. */
function fromStatus(error: unknown): Translation | undefined {
  if (!(error instanceof Error)) return undefined;
  const status = error instanceof HttpException ? error.getStatus() : (error as { statusCode?: unknown }).statusCode;
  if (typeof status !== 'number' || ((status < 400 || status >= 500) && status !== 503)) return undefined;
  const code = byStatus[status] ?? 'MALFORMED_REQUEST';
  return { error: new CodedError(code, error.message, [], { cause: error }), status: byStatus[status] ? undefined : status };
}

function internal(error: unknown): Translation {
  const detail = 'Something failed inside the server. The log has the details under this request_id; try again, and report it if it stays.';
  return { error: new CodedError('INTERNAL', detail, [], { cause: error }) };
}
