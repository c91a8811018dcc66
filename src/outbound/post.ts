import { Client, type Dispatcher } from 'undici';
import type { AddressGuard } from './address-guard.js';
import { checkLiteral, guardedConnect, type Lookup } from './guarded-connect.js';

export interface PostOptions {
  guard: AddressGuard;
  lookup: Lookup;
  /** Aborts the request at once, wherever it is. */
  signal: AbortSignal;
}

export interface PostAnswer {
  status: number;
  /** Names in lower case. */
  headers: Record<string, string | string[] | undefined>;
}

/**
 * Posts over a connection of its own, which nobody else's request shares. Redirects are not followed, and of the answer nothing but status and
 * headers is read: a caller must not learn what an inner service says. Throws `AddressRefused` and the errors of undici.
 */
export async function post(url: URL, headers: Record<string, string>, body: string, options: PostOptions): Promise<PostAnswer> {
  const { guard, lookup, signal } = options;
  checkLiteral(guard, url);
  const client = new Client(url.origin, {
    connect: guardedConnect(guard, lookup, signal),
    pipelining: 0,
    // The signal carries the one timeout, which covers everything.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  try {
    const response: Dispatcher.ResponseData = await client.request({
      path: url.pathname + url.search,
      method: 'POST',
      headers: { 'user-agent': 'arkitect-orchestrator', ...headers },
      body,
      signal,
    });
    // The client is destroyed under a body that is not read; its error has nobody to tell.
    response.body.on('error', () => {});
    return { status: response.statusCode, headers: response.headers };
  } finally {
    void client.destroy().catch(() => {});
  }
}
