import { errors } from 'undici';
import { TaskFailure } from '../handler.js';

const explanations: Record<string, string> = {
  ENOTFOUND: 'the host name is not known',
  EAI_AGAIN: 'the host name could not be resolved right now',
  ECONNREFUSED: 'nothing listens there (connection refused)',
  ECONNRESET: 'the connection was reset',
  EPIPE: 'the connection was closed while sending',
  ETIMEDOUT: 'the connection could not be made in time',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
  UND_ERR_SOCKET: 'the connection was closed before the response was complete',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate chain is self-signed',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate cannot be verified',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another host name',
};

/**
 * An error of the connection as `NETWORK_ERROR`, retryable; too many response headers as `RESPONSE_TOO_LARGE`;
 * anything else is a mistake of ours and stays what it is.
 */
export function networkFailure(error: unknown, origin: string): unknown {
  const { code } = error instanceof errors.HTTPParserError ? { code: 'HPE_INVALID' } : (error as { code?: unknown });
  if (typeof code !== 'string' || code.startsWith('UND_ERR_INVALID')) return error;
  if (code === 'UND_ERR_HEADERS_OVERFLOW') {
    return new TaskFailure('RESPONSE_TOO_LARGE', `The response headers of ${origin} are larger than 32 KiB.`, {
      retryable: false,
      cause: error,
    });
  }
  const why = code === 'HPE_INVALID' ? 'the response is not valid HTTP' : (explanations[code] ?? 'the connection failed');
  return new TaskFailure('NETWORK_ERROR', `The request to ${origin} failed: ${why} (${code}).`, { retryable: true, cause: error });
}
