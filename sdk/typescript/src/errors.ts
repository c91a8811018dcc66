import { status as statusCodes, type Metadata, type ServiceError } from '@grpc/grpc-js';
import { BadRequest, ErrorInfo, RequestInfo } from './generated/google/rpc/error_details.js';
import { Status } from './generated/google/rpc/status.js';

/** One field that is not valid. */
export interface FieldProblem {
  /** Its path as the server names it, such as `parameters.url` or `timeout_seconds`. */
  field: string;
  /** What would be accepted. */
  message: string;
}

/** Any call that failed. `message` is a sentence for people; programs look at `code`. */
export class ArkitectError extends Error {
  override readonly name = 'ArkitectError';

  constructor(
    message: string,
    /** The server's code, such as `NOT_FOUND` or `VALIDATION_FAILED`; the name of the gRPC status when the server did not say one. */
    readonly code: string,
    /** Name of the gRPC status: `NOT_FOUND`, `INVALID_ARGUMENT`, `UNAVAILABLE`. */
    readonly status: string,
    /** The fields that are not valid; empty when that is not what is wrong. */
    readonly fields: FieldProblem[] = [],
    /** The request's id in the server's log; undefined when the server did not answer. */
    readonly requestId?: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  /** Whether the same call may work later without a change: the server was not reached, or is stopping. */
  get unavailable(): boolean {
    return this.status === 'UNAVAILABLE';
  }
}

/** What grpc-js throws as an ArkitectError; everything else as it is. */
export function toArkitectError(error: unknown): unknown {
  if (!isServiceError(error)) return error;
  const details = readDetails(error.metadata);
  const status = statusCodes[error.code] ?? 'UNKNOWN';
  return new ArkitectError(error.details || error.message, details.reason ?? status, status, details.fields, details.requestId, {
    cause: error,
  });
}

export function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' && 'details' in error;
}

interface Details {
  reason?: string;
  requestId?: string;
  fields: FieldProblem[];
}

function readDetails(metadata: Metadata | undefined): Details {
  const found: Details = { fields: [] };
  const [bytes] = metadata?.get('grpc-status-details-bin') ?? [];
  if (!Buffer.isBuffer(bytes)) return found;
  try {
    for (const { typeUrl, value } of Status.decode(bytes).details) {
      const type = typeUrl.slice(typeUrl.lastIndexOf('/') + 1);
      if (type === 'google.rpc.ErrorInfo') found.reason = ErrorInfo.decode(value).reason;
      if (type === 'google.rpc.RequestInfo') found.requestId = RequestInfo.decode(value).requestId;
      if (type === 'google.rpc.BadRequest') {
        found.fields = BadRequest.decode(value).fieldViolations.map(({ field, description }) => ({ field, message: description }));
      }
    }
  } catch {
    // Details that cannot be read must not hide the error that they belong to.
  }
  return found;
}
