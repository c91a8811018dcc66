import { isText } from '../input/fields.js';
import type { RequestContext } from './request-context.js';

/** Where a request came in. */
export interface RequestOrigin {
  door: 'rest' | 'socket.io' | 'grpc';
  /** Of the other end of the connection. */
  address: string | undefined;
  /** The id that the request names, whatever it is of. */
  target: string | null;
}

/** Keeps what requests have done, on every door. */
export interface RequestRecorder {
  /**
   * Is told when the answer is ready and has not left; what is answered here is waited for. Undefined: nothing to wait for. Rejects with the error that
   * is to be answered instead.
   */
  record(context: RequestContext, origin: RequestOrigin): Promise<void> | undefined;
}

/** The field `id` of a path or a message, when it is one that can be kept. */
export function targetOf(input: unknown): string | null {
  const id = typeof input === 'object' && input !== null ? (input as { id?: unknown }).id : undefined;
  return typeof id === 'string' && id.length > 0 && id.length <= 200 && isText(id) ? id : null;
}
