import { errors } from 'undici';

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

/** What is wrong with a connection, by the code of its error, in words that complete "the request failed: …". */
export interface NetworkProblem {
  code: string;
  why: string;
}

/** Undefined for what is no error of a connection, but a mistake of ours. */
export function networkProblem(error: unknown): NetworkProblem | undefined {
  const { code } = error instanceof errors.HTTPParserError ? { code: 'HPE_INVALID' } : (error as { code?: unknown });
  if (typeof code !== 'string' || code.startsWith('UND_ERR_INVALID')) return undefined;
  return { code, why: code === 'HPE_INVALID' ? 'the response is not valid HTTP' : (explanations[code] ?? 'the connection failed') };
}
