import { Client, type Dispatcher } from 'undici';
import { AddressRefused, type AddressGuard } from '../../outbound/address-guard.js';
import { checkLiteral, guardedConnect, type Lookup } from '../../outbound/guarded-connect.js';
import { TaskFailure } from '../handler.js';
import { redirected, redirectTarget, type HttpRequest } from './redirect.js';

export interface HttpResponse {
  /** The URL that answered, after redirects. */
  url: URL;
  status: number;
  /** Names in lower case. */
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
}

export interface ExchangeOptions {
  guard: AddressGuard;
  lookup: Lookup;
  followRedirects: number;
  maxResponseBytes: number;
  /** Aborts the exchange at once, wherever it is. */
  signal: AbortSignal;
}

const maxHeaderBytes = 32 * 1024;

/** Sends the request and follows redirects, checking every hop. Throws `TaskFailure` and the errors of undici. */
export async function exchange(first: HttpRequest, options: ExchangeOptions): Promise<HttpResponse> {
  let request = first;
  for (let hops = 0; ; hops++) {
    const response = await send(request, options);
    if (!('redirect' in response)) return response;
    if (hops === options.followRedirects) {
      throw new TaskFailure(
        'TOO_MANY_REDIRECTS',
        `${first.url.origin} redirected more than ${options.followRedirects} times; raise follow_redirects or correct the URL.`,
        { retryable: false },
      );
    }
    request = redirected(request, response.status, nextUrl(request.url, response.redirect));
  }
}

function nextUrl(from: URL, location: string): URL {
  const url = URL.parse(location, from);
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password) {
    throw new TaskFailure(
      'REDIRECT_REFUSED',
      `${from.origin} redirected to something that is not a plain http or https URL, which is never followed.`,
      {
        retryable: false,
      },
    );
  }
  return url;
}

type Sent = HttpResponse | { redirect: string; status: number };

/** One hop, over a connection of its own: nothing is shared between tenants, and no stale connection eats a POST. */
async function send(request: HttpRequest, { guard, lookup, followRedirects, maxResponseBytes, signal }: ExchangeOptions): Promise<Sent> {
  const { url, method, headers, body } = request;
  const client = new Client(url.origin, {
    connect: guardedConnect(guard, lookup, signal),
    pipelining: 0,
    maxHeaderSize: maxHeaderBytes,
    // The signal carries the one timeout, which covers everything.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  try {
    checkLiteral(guard, url);
    const response = await client.request({ path: url.pathname + url.search, method, headers, body, signal });
    // The client is destroyed under a body that is not read to its end; its error has nobody to tell.
    response.body.on('error', () => {});
    const { statusCode: status } = response;
    const redirect = redirectTarget(status, [response.headers.location].flat()[0]);
    if (redirect !== undefined && followRedirects > 0) return { redirect, status };
    return { url, status, headers: response.headers, body: await readBody(response, method, maxResponseBytes) };
  } catch (error) {
    throw error instanceof AddressRefused ? new TaskFailure(error.code, error.message, { retryable: false }) : error;
  } finally {
    void client.destroy().catch(() => {});
  }
}

async function readBody({ headers, body }: Dispatcher.ResponseData, method: string, maxBytes: number): Promise<Buffer> {
  const announced = Number(headers['content-length']);
  if (method !== 'HEAD' && announced > maxBytes) throw tooLarge(maxBytes);
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw tooLarge(maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function tooLarge(maxBytes: number): TaskFailure {
  return new TaskFailure(
    'RESPONSE_TOO_LARGE',
    `The response body is larger than max_response_bytes (${maxBytes}); raise it, or ask the server for less.`,
    { retryable: false },
  );
}
