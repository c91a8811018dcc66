import { AddressGuard } from '../../outbound/address-guard.js';
import { dnsLookup, type Lookup } from '../../outbound/guarded-connect.js';
import { retryAfterSeconds } from '../../outbound/retry-after.js';
import type { JsonObject } from '../../tasks/task.js';
import { traceHeaders } from '../../tracing/trace-context.js';
import { TaskFailure, type Handler, type HandlerContext } from '../handler.js';
import { exchange, type HttpResponse } from './exchange.js';
import { networkFailure } from './network-failure.js';
import { HttpRequestParameters } from './parameters.js';
import type { HttpRequest } from './redirect.js';
import { isSuccess, toResult } from './response.js';

const retryableStatuses = new Set([429, 502, 503, 504]);
const loggedBodyCharacters = 2000;

/** `allowHosts`: entries of HTTP_ALLOW_HOSTS; throws when one is ill-formed. `lookup` resolves host names (default: the system's). */
export function httpRequest({
  allowHosts,
  lookup = dnsLookup,
}: {
  allowHosts: readonly string[] | (() => readonly string[]);
  lookup?: Lookup;
}): Handler<HttpRequestParameters> {
  const guard = new AddressGuard(allowHosts);
  return {
    type: 'http.request',
    description: 'Sends one HTTP request and keeps the response; private addresses are refused unless HTTP_ALLOW_HOSTS names them.',
    parameters: HttpRequestParameters,
    run: (context) => run(context, guard, lookup),
  };
}

async function run(context: HandlerContext<HttpRequestParameters>, guard: AddressGuard, lookup: Lookup): Promise<JsonObject> {
  const { parameters } = context.task;
  const response = await withTimeout(context, (signal) =>
    exchange(toRequest(context), {
      guard,
      lookup,
      followRedirects: parameters.follow_redirects,
      maxResponseBytes: parameters.max_response_bytes,
      signal,
    }),
  );
  if (isSuccess(response.status, parameters.success_statuses)) return toResult(response, parameters.response_headers);
  context.log('warn', `The server answered ${response.status}.`, { body: excerpt(response) });
  throw statusFailure(response);
}

/** Runs the exchange under the task's signal and its own timeout, and says which of them ended it. */
async function withTimeout<T>(
  { task, signal }: HandlerContext<HttpRequestParameters>,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const { url, timeout_seconds } = task.parameters;
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(), timeout_seconds * 1000);
  try {
    return await work(AbortSignal.any([signal, timeout.signal]));
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof TaskFailure) throw error;
    const { origin } = new URL(url);
    if (!timeout.signal.aborted) throw networkFailure(error, origin);
    throw new TaskFailure('REQUEST_TIMEOUT', `There was no complete response from ${origin} within timeout_seconds (${timeout_seconds}).`, {
      retryable: true,
    });
  } finally {
    clearTimeout(timer);
  }
}

function toRequest({ task: { id, attempt, parameters }, trace }: HandlerContext<HttpRequestParameters>): HttpRequest {
  const { url, method, body } = parameters;
  const given = Object.fromEntries(Object.entries(parameters.headers).map(([name, value]) => [name.toLowerCase(), value])) as Record<
    string,
    string
  >;
  return {
    url: new URL(url),
    method,
    headers: {
      'user-agent': 'arkitect-orchestrator',
      'accept-encoding': 'identity',
      'idempotency-key': id,
      ...(body !== undefined && { 'content-type': typeof body === 'string' ? 'text/plain; charset=utf-8' : 'application/json' }),
      // A caller who names a trace knows better, and its tracestate must not be mixed with another's.
      ...(trace && !('traceparent' in given) && traceHeaders(trace)),
      ...given,
      'arkitect-attempt': String(attempt),
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  };
}

function statusFailure({ url, status, headers }: HttpResponse): TaskFailure {
  const retryable = retryableStatuses.has(status);
  const retry_after_seconds = retryable ? retryAfterSeconds(headers['retry-after']) : undefined;
  // Without the query, which often holds keys: errors are shown more widely than parameters.
  return new TaskFailure(
    'HTTP_STATUS',
    `${url.origin}${url.pathname.slice(0, 200)} answered ${status}, which is not among success_statuses.`,
    {
      retryable,
      ...(retry_after_seconds !== undefined && { retry_after_seconds }),
    },
  );
}

function excerpt({ body }: HttpResponse): string {
  const text = body
    .subarray(0, 4 * loggedBodyCharacters)
    .toString('utf8')
    .slice(0, loggedBodyCharacters);
  return text.replaceAll('\0', '\ufffd').toWellFormed();
}
