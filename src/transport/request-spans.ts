import type { FastifyInstance } from 'fastify';
import type { SpanAttributes, Spans } from '../tracing/tracing.js';
import { isServerError } from './grpc/status-names.js';
import type { RequestContext } from './request-context.js';
import { RequestObserver } from './request-observer.js';

/** From here on what the request does belongs to a span of its own, which `RequestSpans` ends. Attributes are those of OpenTelemetry's conventions. */
function open(spans: Spans, context: RequestContext, name: string, attributes: SpanAttributes): void {
  context.span = spans.open('server', name, context.trace, { ...attributes, 'arkitect.request.id': context.request_id });
  context.trace = context.span.trace;
}

/** Probes come every second and tell nothing. */
const isProbe = (route: string | undefined) => route?.startsWith('/health/');

/** Spans of REST requests. Call it after `installFastify`, and only while there are spans: without, there is not even a hook. */
export function traceRequests(fastify: FastifyInstance, spans: Spans): void {
  fastify.addHook('onRequest', (request, _reply, done) => {
    const { url: route } = request.routeOptions;
    if (!isProbe(route)) {
      // Never the path itself, nor its query: they hold what callers have sent.
      const name = route === undefined ? request.method : `${request.method} ${route}`;
      open(spans, request.arkitect, name, { 'http.request.method': request.method, 'http.route': route });
    }
    done();
  });
}

/** `method`: `TaskService/CreateTask`. */
export function traceCall(spans: Spans, context: RequestContext, method: string): void {
  const [service, name] = method.split('/');
  open(spans, context, `arkitect.v1.${method}`, { 'rpc.system': 'grpc', 'rpc.service': `arkitect.v1.${service}`, 'rpc.method': name });
}

export function traceMessage(spans: Spans, context: RequestContext, namespace: string, message: string): void {
  open(spans, context, `${namespace} ${message}`, { 'rpc.system': 'socket.io', 'rpc.service': namespace, 'rpc.method': message });
}

/** Ends the spans of requests. */
export class RequestSpans extends RequestObserver {
  override request(_method: string, _route: string | undefined, status: number, _seconds: number, context: RequestContext): void {
    end(context, { 'http.response.status_code': status }, status >= 500 ? String(status) : undefined);
  }

  override call(_method: string, status: number, _seconds: number, context: RequestContext): void {
    end(context, { 'rpc.grpc.status_code': status }, isServerError(status) ? String(status) : undefined);
  }

  override message(_namespace: string, _message: string, status: number, _seconds: number, context: RequestContext): void {
    end(context, { 'arkitect.status': status }, status >= 500 ? String(status) : undefined);
  }
}

function end({ span, principal }: RequestContext, attributes: SpanAttributes, error: string | undefined): void {
  span?.end({ attributes: { ...attributes, 'arkitect.tenant.id': principal?.tenant_id }, error });
}
