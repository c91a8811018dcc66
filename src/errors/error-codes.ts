/**
 * Every error a client can meet: code → what each door answers.
 * `http` is the REST status, `grpc` the canonical gRPC status number; Socket.IO acks carry the code and the HTTP status.
 */
export const errorCodes = {
  MALFORMED_REQUEST: { http: 400, grpc: 3, title: 'The request could not be read' },
  VALIDATION_FAILED: { http: 400, grpc: 3, title: 'Some fields are not valid' },
  UNAUTHENTICATED: { http: 401, grpc: 16, title: 'A valid token is needed' },
  FORBIDDEN: { http: 403, grpc: 7, title: 'Your role does not allow this' },
  NOT_FOUND: { http: 404, grpc: 5, title: 'There is no such thing here' },
  METHOD_NOT_ALLOWED: { http: 405, grpc: 12, title: 'This path does not take that method' },
  NOT_ACCEPTABLE: { http: 406, grpc: 3, title: 'None of the accepted formats can be given' },
  CONFLICT: { http: 409, grpc: 9, title: 'The task is not in a state that allows this' },
  LEASE_LOST: { http: 409, grpc: 9, title: 'The lease on this attempt is gone' },
  VERSION_MISMATCH: { http: 412, grpc: 9, title: 'The task has changed since you read it' },
  PAYLOAD_TOO_LARGE: { http: 413, grpc: 8, title: 'The request is too large' },
  UNSUPPORTED_MEDIA_TYPE: { http: 415, grpc: 3, title: 'The body must be JSON' },
  IDEMPOTENCY_KEY_REUSED: { http: 422, grpc: 9, title: 'This Idempotency-Key was used with another body' },
  INTERNAL: { http: 500, grpc: 13, title: 'The server failed; nothing you sent is at fault' },
  UNAVAILABLE: { http: 503, grpc: 14, title: 'The server cannot do this right now; try again' },
} as const;

export type ErrorCode = keyof typeof errorCodes;
