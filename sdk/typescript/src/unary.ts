import type { CallOptions, ClientUnaryCall, Metadata, ServiceError } from '@grpc/grpc-js';
import { toArkitectError } from './errors.js';
import type { TraceContext } from './trace.js';

/** A method of a generated client that takes one message and answers one. */
type Method<Request, Response> = (
  request: Request,
  metadata: Metadata,
  options: CallOptions,
  callback: (error: ServiceError | null, response: Response) => void,
) => ClientUnaryCall;

interface CallWith {
  /** For how long the server was asked to wait with its answer (0). */
  waitSeconds?: number | undefined;
  /** Goes into the metadata (none). */
  trace?: Partial<TraceContext> | undefined;
}

/** Makes calls with callbacks into promises, with metadata, a deadline, and errors of our own. */
export function unary(metadata: () => Metadata, timeoutSeconds: number) {
  return function call<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    { waitSeconds = 0, trace = {} }: CallWith = {},
  ): Promise<Response> {
    const deadline = Date.now() + (timeoutSeconds + waitSeconds) * 1_000;
    // The stack of the caller, instead of one that begins in a socket.
    const caller = new Error('caller');
    return new Promise((resolve, reject) => {
      const headers = metadata();
      if (trace.traceparent !== undefined) headers.set('traceparent', trace.traceparent);
      if (trace.tracestate !== undefined) headers.set('tracestate', trace.tracestate);
      method(request, headers, { deadline }, (error, response) => {
        if (!error) return resolve(response);
        const failure = toArkitectError(error);
        if (failure instanceof Error)
          failure.stack = `${failure.name}: ${failure.message}\n${caller.stack?.split('\n').slice(2).join('\n')}`;
        reject(failure);
      });
    });
  };
}
