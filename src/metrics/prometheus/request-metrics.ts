import { METHODS } from 'node:http';
import { Inject, Injectable } from '@nestjs/common';
import { SETTINGS, type Settings } from '../../settings.js';
import { isSampled, traceIdOf } from '../../tracing/trace-context.js';
import { statusNames } from '../../transport/grpc/status-names.js';
import type { RequestContext } from '../../transport/request-context.js';
import { RequestObserver, RequestObservers } from '../../transport/request-observer.js';
import { RequestLatency } from '../system/request-latency.js';
import { BoundedLabel, other } from './bounded-labels.js';
import { Timings } from './timings.js';

const bounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

const knownMethods = new Set(METHODS);
/** Far more than there are routes and messages: a route that is made up at run time would be a mistake of ours. */
const maxNames = 300;

/** How long requests take, on every door. Labels are names of ours, never what a caller has sent. */
@Injectable()
export class RequestMetrics extends RequestObserver {
  private readonly routes = new BoundedLabel(maxNames);
  private readonly calls = new BoundedLabel(maxNames);
  private readonly messages = new BoundedLabel(maxNames);

  readonly timings = {
    http: new Timings(
      'arkitect_http_request_duration_seconds',
      'Time to answer a REST request, in seconds; streams are left out.',
      ['method', 'route', 'status'],
      bounds,
    ),
    grpc: new Timings(
      'arkitect_grpc_call_duration_seconds',
      'Time to answer a gRPC call, in seconds; streams are left out.',
      ['method', 'status'],
      bounds,
    ),
    socket: new Timings(
      'arkitect_socket_message_duration_seconds',
      'Time to answer a Socket.IO message, in seconds.',
      ['namespace', 'message', 'outcome'],
      bounds,
    ),
  };

  constructor(
    private readonly latency: RequestLatency,
    observers: RequestObservers,
    @Inject(SETTINGS) settings: Settings,
  ) {
    super();
    if (settings.METRICS_ENABLED === 'true') observers.add(this);
  }

  override request(method: string, route: string | undefined, status: number, seconds: number, context: RequestContext): void {
    const labels = [knownMethods.has(method) ? method : other, route ? this.routes.of(route) : other, String(status)];
    this.timings.http.observe(seconds, labels, traceToShow(context));
    this.latency.record(seconds * 1_000);
  }

  override call(method: string, status: number, seconds: number, context: RequestContext): void {
    this.timings.grpc.observe(seconds, [this.calls.of(method), statusNames[status] ?? other], traceToShow(context));
  }

  override message(namespace: string, message: string, status: number, seconds: number, context: RequestContext): void {
    const outcome = status < 400 ? 'ok' : 'error';
    this.timings.socket.observe(seconds, [namespace, this.messages.of(message), outcome], traceToShow(context));
  }
}

/** The id of a trace that somebody records; any other leads nowhere. */
function traceToShow({ trace }: RequestContext): string | undefined {
  return trace && isSampled(trace.traceparent) ? traceIdOf(trace.traceparent) : undefined;
}
