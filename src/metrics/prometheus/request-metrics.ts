import { METHODS } from 'node:http';
import { Injectable } from '@nestjs/common';
import { RequestObserver } from '../../transport/request-observer.js';
import { RequestLatency } from '../system/request-latency.js';
import { BoundedLabel, other } from './bounded-labels.js';
import { Timings } from './timings.js';

const bounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** By number, as gRPC defines them. */
const statusNames = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
];

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

  constructor(private readonly latency: RequestLatency) {
    super();
  }

  override request(method: string, route: string | undefined, status: number, seconds: number): void {
    this.timings.http.observe(seconds, knownMethods.has(method) ? method : other, route ? this.routes.of(route) : other, String(status));
    this.latency.record(seconds * 1_000);
  }

  override call(method: string, status: number, seconds: number): void {
    this.timings.grpc.observe(seconds, this.calls.of(method), statusNames[status] ?? other);
  }

  override message(namespace: string, message: string, outcome: 'ok' | 'error', seconds: number): void {
    this.timings.socket.observe(seconds, namespace, this.messages.of(message), outcome);
  }
}
