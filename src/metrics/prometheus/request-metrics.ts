import { METHODS } from 'node:http';
import { Injectable } from '@nestjs/common';
import { InjectMetric, makeHistogramProvider } from '@willsoto/nestjs-prometheus';
import type { Histogram } from 'prom-client';
import { RequestObserver } from '../../transport/request-observer.js';
import { RequestLatency } from '../system/request-latency.js';
import { BoundedLabel, other } from './bounded-labels.js';

const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

const http = 'arkitect_http_request_duration_seconds';
const grpc = 'arkitect_grpc_call_duration_seconds';
const socket = 'arkitect_socket_message_duration_seconds';

/** In no registry by itself: each server has one of its own (`MetricsRegistry`). */
const histogram = (name: string, help: string, labelNames: string[]) =>
  makeHistogramProvider({ name, help, labelNames, buckets, registers: [] });

export const requestHistograms = [
  histogram(http, 'Time to answer a REST request, in seconds; streams are left out.', ['method', 'route', 'status']),
  histogram(grpc, 'Time to answer a gRPC call, in seconds; streams are left out.', ['method', 'status']),
  histogram(socket, 'Time to answer a Socket.IO message, in seconds.', ['namespace', 'message', 'outcome']),
];

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

  constructor(
    @InjectMetric(http) readonly http: Histogram,
    @InjectMetric(grpc) readonly grpc: Histogram,
    @InjectMetric(socket) readonly socket: Histogram,
    private readonly latency: RequestLatency,
  ) {
    super();
  }

  override request(method: string, route: string | undefined, status: number, seconds: number): void {
    const labels = {
      method: knownMethods.has(method) ? method : other,
      route: route ? this.routes.of(route) : other,
      status: String(status),
    };
    this.http.observe(labels, seconds);
    this.latency.record(seconds * 1_000);
  }

  override call(method: string, status: number, seconds: number): void {
    this.grpc.observe({ method: this.calls.of(method), status: statusNames[status] ?? other }, seconds);
  }

  override message(namespace: string, message: string, outcome: 'ok' | 'error', seconds: number): void {
    this.socket.observe({ namespace, message: this.messages.of(message), outcome }, seconds);
  }
}
