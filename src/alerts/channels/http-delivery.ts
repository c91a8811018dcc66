import { AddressRefused } from '../../outbound/address-guard.js';
import { networkProblem } from '../../outbound/network-problem.js';
import { post, type PostOptions } from '../../outbound/post.js';
import { retryAfterSeconds } from '../../outbound/retry-after.js';
import { DeliveryError } from './channel.js';

export type Reach = Pick<PostOptions, 'guard' | 'lookup'>;

/** Posts, and takes any 2xx for a delivery. Throws `DeliveryError`. */
export async function deliver(
  url: string,
  headers: Record<string, string>,
  body: string,
  options: Reach & { signal: AbortSignal },
): Promise<void> {
  const target = new URL(url);
  const answer = await post(target, headers, body, options).catch((error: unknown) => {
    throw deliveryError(error, target.origin, options.signal);
  });
  if (answer.status < 200 || answer.status > 299) throw statusError(answer.status, answer.headers['retry-after'], target.origin);
}

/** What went wrong before there was an answer. */
export function deliveryError(error: unknown, where: string, signal: AbortSignal): DeliveryError {
  if (error instanceof DeliveryError) return error;
  if (error instanceof AddressRefused) return new DeliveryError('blocked', error.message, { retryable: false, cause: error });
  if (signal.aborted) return new DeliveryError('timeout', `${where} did not answer in time.`, { retryable: true, cause: error });
  const problem = networkProblem(error);
  if (!problem) throw error;
  const reason = problem.code === 'ECONNREFUSED' ? 'refused' : problem.code === 'ETIMEDOUT' ? 'timeout' : 'network';
  return new DeliveryError(reason, `The connection to ${where} failed: ${problem.why} (${problem.code}).`, {
    retryable: true,
    cause: error,
  });
}

function statusError(status: number, retryAfter: string | string[] | undefined, where: string): DeliveryError {
  const seconds = retryAfterSeconds(retryAfter);
  const wait = seconds === undefined ? {} : { retry_after_seconds: seconds };
  const message = `${where} answered ${status}.`;
  if (status === 429) return new DeliveryError('rate_limited', message, { retryable: true, ...wait });
  // A token may be put right meanwhile, and a proxy may ask for one by mistake: worth the attempts of a day.
  if (status === 401 || status === 403 || status === 407) return new DeliveryError('auth', message, { retryable: true, ...wait });
  if (status >= 500) return new DeliveryError('server_error', message, { retryable: true, ...wait });
  if (status === 408 || status === 425) return new DeliveryError('timeout', message, { retryable: true, ...wait });
  const hint = status >= 300 && status < 400 ? ' Redirects are not followed: give the address that it leads to.' : '';
  return new DeliveryError('client_error', message + hint, { retryable: false });
}
