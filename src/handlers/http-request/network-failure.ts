import { networkProblem } from '../../outbound/network-problem.js';
import { TaskFailure } from '../handler.js';

/**
 * An error of the connection as `NETWORK_ERROR`, retryable; too many response headers as `RESPONSE_TOO_LARGE`;
 * anything else is a mistake of ours and stays what it is.
 */
export function networkFailure(error: unknown, origin: string): unknown {
  const problem = networkProblem(error);
  if (!problem) return error;
  const { code, why } = problem;
  if (code === 'UND_ERR_HEADERS_OVERFLOW') {
    return new TaskFailure('RESPONSE_TOO_LARGE', `The response headers of ${origin} are larger than 32 KiB.`, {
      retryable: false,
      cause: error,
    });
  }
  return new TaskFailure('NETWORK_ERROR', `The request to ${origin} failed: ${why} (${code}).`, { retryable: true, cause: error });
}
