import { UseFilters } from '@nestjs/common';
import { ConnectedSocket, MessageBody, SubscribeMessage as On, WebSocketGateway, type OnGatewayDisconnect } from '@nestjs/websockets';
import type { Socket } from 'socket.io';
import { Operation } from '../../auth/auth.guard.js';
import { ErrorFilter } from '../../transport/error.filter.js';
import { NoFields } from '../../transport/input.pipe.js';
import { LogSubscriptions } from './log-subscriptions.js';
import { ListLogsDto, SubscribeLogsMessage } from './logs.dto.js';
import { LogsService } from './logs.service.js';

/** The door of Socket.IO: every message is acknowledged with the answer of its REST twin, or with `{ error }`. */
@WebSocketGateway({ namespace: 'admin' })
@UseFilters(ErrorFilter)
export class LogsGateway implements OnGatewayDisconnect<Socket> {
  constructor(
    private readonly logs: LogsService,
    private readonly subscriptions: LogSubscriptions,
  ) {}

  handleDisconnect(socket: Socket): void {
    this.subscriptions.remove(socket);
  }

  @On('logs')
  @Operation('admin.logs')
  list(@MessageBody() query: ListLogsDto) {
    return this.logs.list(query);
  }

  @On('subscribe_logs')
  @Operation('admin.logs')
  subscribe(@ConnectedSocket() socket: Socket, @MessageBody() { after, ...filters }: SubscribeLogsMessage) {
    return this.subscriptions.subscribe(socket, this.logs.follow(filters, after));
  }

  @On('unsubscribe_logs')
  @Operation('admin.logs')
  unsubscribe(@ConnectedSocket() socket: Socket, @MessageBody() _body: NoFields) {
    this.subscriptions.remove(socket);
    return {};
  }
}
