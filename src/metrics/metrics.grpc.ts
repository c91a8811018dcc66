import type { ServerWritableStream } from '@grpc/grpc-js';
import { Controller } from '@nestjs/common';
import { GrpcMethod, Payload } from '@nestjs/microservices';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Observable } from 'rxjs';
import { Caller, Operation } from '../auth/auth.guard.js';
import type { Principal } from '../auth/principal.js';
import { Call } from '../transport/grpc/call.decorator.js';
import { rpcStream } from '../transport/grpc/rpc-stream.js';
import { NoFields } from '../transport/input.pipe.js';
import { EventStreams } from '../transport/sse.js';
import { HistoryQueryDto } from './metrics.dto.js';
import { MetricsService, type MetricsView } from './metrics.service.js';

/** The gRPC door of metrics. */
@Controller()
@ApiExcludeController()
export class MetricsGrpc {
  constructor(
    private readonly metrics: MetricsService,
    private readonly streams: EventStreams,
  ) {}

  @GrpcMethod('MetricsService')
  @Operation('metrics.get')
  async getMetrics(@Caller() caller: Principal, @Payload() _request: NoFields) {
    return { metrics: metricsMessage(await this.metrics.get(caller)) };
  }

  @GrpcMethod('MetricsService')
  @Operation('metrics.subscribe')
  watchMetrics(
    @Caller() caller: Principal,
    @Payload() _request: NoFields,
    @Call() call: ServerWritableStream<unknown, unknown>,
  ): Observable<object> {
    return rpcStream(call, this.streams, (signal) => updates(this.metrics.follow(caller, signal)));
  }

  @GrpcMethod('MetricsService')
  @Operation('metrics.get')
  async getMetricHistory(@Caller() caller: Principal, @Payload() query: HistoryQueryDto) {
    return this.metrics.series(caller, query);
  }

  @GrpcMethod('MetricsService')
  @Operation('metrics.get')
  async listMetricNames(@Caller() caller: Principal, @Payload() _request: NoFields) {
    return { items: await this.metrics.names(caller) };
  }
}

async function* updates(followed: AsyncIterable<MetricsView>): AsyncGenerator<object> {
  for await (const metrics of followed) yield { metrics: metricsMessage(metrics) };
}

/** As the proto file has it: what is null is absent, and the numbers of all tasks are a message of their own. */
function metricsMessage({ task_metrics: { by_queue, by_type, ...all }, ...metrics }: MetricsView): object {
  return withoutNulls({ ...metrics, task_metrics: { all, by_queue, by_type } });
}

function withoutNulls<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value).filter(([, child]) => child !== null);
  return Object.fromEntries(entries.map(([key, child]) => [key, withoutNulls(child)])) as T;
}
