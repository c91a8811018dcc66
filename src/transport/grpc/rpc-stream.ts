import { once } from 'node:events';
import type { ServerWritableStream } from '@grpc/grpc-js';
import { Observable } from 'rxjs';
import { CodedError } from '../../errors/coded-error.js';
import type { EventStreams } from '../sse.js';

/**
 * The answer of a streaming call: the messages of `source`, at the client's pace, until they end, the client leaves or the server
 * stops (UNAVAILABLE: call again). A client that does not read slows its own source instead of filling our memory.
 */
export function rpcStream<T>(
  call: ServerWritableStream<unknown, unknown>,
  streams: EventStreams,
  source: (signal: AbortSignal) => AsyncIterable<T>,
): Observable<T> {
  return new Observable<T>((subscriber) => {
    const controller = new AbortController();
    const copy = async (signal: AbortSignal) => {
      for await (const message of source(signal)) {
        if (signal.aborted) return;
        subscriber.next(message);
        if (call.writableNeedDrain) await once(call, 'drain', { signal }).catch(() => undefined);
      }
    };
    streams.run(copy, controller).then(
      () => {
        const { reason } = controller.signal as { reason: unknown };
        if (reason instanceof CodedError) subscriber.error(reason);
        else if (streams.stopping)
          subscriber.error(new CodedError('UNAVAILABLE', 'The server is stopping; call again, another one will answer.'));
        else subscriber.complete();
      },
      (error: unknown) => subscriber.error(error),
    );
    return () => controller.abort();
  });
}
