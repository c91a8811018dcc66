import { Controller, Get, Headers, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Caller, Operation } from '../auth/auth.guard.js';
import type { Principal } from '../auth/principal.js';
import { EventStreams, sendEventStream } from '../transport/sse.js';
import { HistoryQueryDto } from './metrics.dto.js';
import { Documented } from './metrics.openapi.js';
import { MetricsService } from './metrics.service.js';
import { wantsExposition } from './prometheus/accept.js';
import { sendExposition } from './prometheus/exposition.controller.js';
import { ExpositionService } from './prometheus/exposition.service.js';

/** The REST door of metrics. */
@Controller('metrics')
export class MetricsController {
  constructor(
    private readonly metrics: MetricsService,
    private readonly exposition: ExpositionService,
    private readonly streams: EventStreams,
  ) {}

  @Get()
  @Operation('metrics.get')
  @Documented.get
  async get(@Caller() caller: Principal, @Headers('accept') accept: string | undefined, @Res() reply: FastifyReply) {
    if (wantsExposition(accept)) return sendExposition(this.exposition, accept, reply);
    return reply.header('vary', 'accept').send(await this.metrics.get(caller));
  }

  @Get('tasks')
  @Operation('metrics.get')
  @Documented.tasks
  tasks(@Caller() caller: Principal) {
    return this.metrics.tasks(caller);
  }

  @Get('realtime')
  @Operation('metrics.subscribe')
  @Documented.realtime
  realtime(@Caller() caller: Principal, @Res() reply: FastifyReply) {
    const follow = (signal: AbortSignal) => this.metrics.follow(caller, signal);
    const source = async function* (signal: AbortSignal) {
      for await (const data of follow(signal)) yield { event: 'metrics_updated', data };
    };
    return sendEventStream(reply, source, this.streams);
  }

  @Get('history')
  @Operation('metrics.get')
  @Documented.history
  history(@Caller() caller: Principal, @Query() query: HistoryQueryDto) {
    return this.metrics.series(caller, query);
  }

  @Get('history/names')
  @Operation('metrics.get')
  @Documented.names
  async names(@Caller() caller: Principal) {
    return { items: await this.metrics.names(caller) };
  }
}
