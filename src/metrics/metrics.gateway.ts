import { UseFilters } from '@nestjs/common';
import { ConnectedSocket, MessageBody, SubscribeMessage as On, WebSocketGateway, type OnGatewayDisconnect } from '@nestjs/websockets';
import type { Socket } from 'socket.io';
import { Caller, Operation } from '../auth/auth.guard.js';
import type { Principal } from '../auth/principal.js';
import { ErrorFilter } from '../transport/error.filter.js';
import { HistoryQueryDto } from './metrics.dto.js';
import { MetricsFeed } from './metrics-feed.js';
import { MetricsService } from './metrics.service.js';

/** The door of Socket.IO: commands are acknowledged with the answer of their REST twin; who has subscribed gets `metrics_updated`. */
@WebSocketGateway({ namespace: 'metrics' })
@UseFilters(ErrorFilter)
export class MetricsGateway implements OnGatewayDisconnect<Socket> {
  constructor(
    private readonly metrics: MetricsService,
    private readonly feed: MetricsFeed,
  ) {}

  handleDisconnect(socket: Socket): void {
    this.feed.remove(socket);
  }

  @On('subscribe')
  @Operation('metrics.subscribe')
  async subscribe(@Caller() caller: Principal, @ConnectedSocket() socket: Socket) {
    const metrics = await this.metrics.get(caller);
    this.feed.add(socket, caller);
    return metrics;
  }

  @On('unsubscribe')
  @Operation('metrics.subscribe')
  unsubscribe(@ConnectedSocket() socket: Socket) {
    this.feed.remove(socket);
    return {};
  }

  @On('get')
  @Operation('metrics.get')
  get(@Caller() caller: Principal) {
    return this.metrics.get(caller);
  }

  @On('tasks')
  @Operation('metrics.get')
  tasks(@Caller() caller: Principal) {
    return this.metrics.tasks(caller);
  }

  @On('history')
  @Operation('metrics.get')
  history(@Caller() caller: Principal, @MessageBody() query: HistoryQueryDto) {
    return this.metrics.series(caller, query);
  }

  @On('history_names')
  @Operation('metrics.get')
  async historyNames(@Caller() caller: Principal) {
    return { items: await this.metrics.names(caller) };
  }
}
