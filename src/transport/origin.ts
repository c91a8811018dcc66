import type { IncomingHttpHeaders } from 'node:http';
import { listensOnLoopback, type Settings } from '../settings.js';

/** Whether the Host header names this machine by a loopback name: a page that rebinds its DNS name to us sends its own. */
export function isLoopbackHost(host: string | undefined): boolean {
  const name = hostName(host);
  return name !== undefined && (name === '[::1]' || (name !== '::1' && listensOnLoopback(name)));
}

/** Whether a request may come from the page it comes from: no page at all, a page of this server, or one of `CORS_ORIGINS`. */
export function isAllowedOrigin(headers: IncomingHttpHeaders, settings: Pick<Settings, 'CORS_ORIGINS'>): boolean {
  const { origin, host } = headers;
  if (origin === undefined) return true;
  if (settings.CORS_ORIGINS.includes(origin)) return true;
  // The scheme is left out: behind a proxy that ends TLS we cannot know it. `URL` drops default ports, as browsers do for Host.
  return URL.canParse(origin) && host !== undefined && new URL(origin).host === host.toLowerCase();
}

/** What pages of CORS_ORIGINS may send and read; which these are is looked up at each request. */
export function corsOptions(settings: Pick<Settings, 'CORS_ORIGINS'>) {
  return {
    origin: (origin: string | undefined, decide: (error: null, allowed: boolean) => void) =>
      decide(null, origin !== undefined && settings.CORS_ORIGINS.includes(origin)),
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowedHeaders: [
      'authorization',
      'content-type',
      'idempotency-key',
      'if-match',
      'last-event-id',
      'traceparent',
      'tracestate',
      'x-request-id',
    ],
    exposedHeaders: ['etag', 'idempotency-replayed', 'location', 'retry-after', 'x-request-id'],
    maxAge: 600,
  };
}

function hostName(host: string | undefined): string | undefined {
  return host === undefined ? undefined : /^(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::\d{1,5})?$/.exec(host.toLowerCase())?.[1];
}
