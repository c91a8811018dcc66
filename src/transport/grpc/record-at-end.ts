import { toLoggedProblem } from '../error.filter.js';
import { runInContext, type RequestContext } from '../request-context.js';
import type { RequestRecorder } from '../request-recorder.js';
import { originOf, type RpcCall } from './rpc-call.js';
import { toRpcStatus } from './rpc-status.js';

/** What a call that answers with a stream has done is recorded before its end is told, or when the client has left. */
export function recordAtEnd(call: RpcCall, context: RequestContext, recorder: RequestRecorder): void {
  const stream = call as unknown as NodeJS.WritableStream & NodeJS.EventEmitter;
  const end = stream.end.bind(stream) as (...args: unknown[]) => unknown;
  const origin = originOf(call);
  let begun = false;
  let ended = false;
  const finish = (...args: unknown[]) => {
    ended = true;
    end(...args);
  };
  // An error ends the stream by itself, too.
  stream.end = ((...args: unknown[]) => {
    if (ended) return stream;
    if (begun || !context.audit) {
      if (!begun) finish(...args);
      return stream;
    }
    begun = true;
    // Whoever is told of an error after this one says what it was.
    setImmediate(() => {
      const recorded = recorder.record(context, origin);
      if (!recorded) return finish(...args);
      recorded.then(
        () => finish(...args),
        (error: unknown) => {
          const status = runInContext(context, () => toRpcStatus(toLoggedProblem(error)));
          stream.end = finish as unknown as typeof stream.end;
          stream.emit('error', status);
        },
      );
    });
    return stream;
  }) as typeof stream.end;
  stream.once('cancelled', () => {
    if (!begun && context.audit) void recorder.record(context, origin)?.catch(() => undefined);
  });
}
