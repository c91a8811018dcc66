import type { Method } from './parameters.js';

/** One request of an exchange; a redirect makes the next one. */
export interface HttpRequest {
  url: URL;
  method: Method;
  /** Names in lower case. */
  headers: Record<string, string>;
  body?: string;
}

/** Names a redirect to another origin must not carry along: the caller meant them for the first one. */
const credentials = /^cookie|auth|token|secret|password|signature|session|(?<!idempotency-)key$/;
const redirectStatuses = new Set([301, 302, 303, 307, 308]);

/** Where the response sends the client, or nothing. */
export function redirectTarget(status: number, location: string | undefined): string | undefined {
  return redirectStatuses.has(status) ? location : undefined;
}

/** The request after a redirect, by the rules that browsers follow (Fetch standard, HTTP-redirect fetch). */
export function redirected({ url, method, headers, body }: HttpRequest, status: number, target: URL): HttpRequest {
  const becomesGet = (status === 303 && method !== 'HEAD') || ((status === 301 || status === 302) && method === 'POST');
  const otherOrigin = url.origin !== target.origin;
  const kept = Object.entries(headers).filter(
    ([name]) => !(otherOrigin && credentials.test(name)) && !(becomesGet && name.startsWith('content-')),
  );
  return {
    url: target,
    method: becomesGet ? 'GET' : method,
    headers: Object.fromEntries(kept),
    ...(!becomesGet && body !== undefined && { body }),
  };
}
