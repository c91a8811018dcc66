import { UseFilters } from '@nestjs/common';
import { ConnectedSocket, MessageBody, SubscribeMessage as On, WebSocketGateway } from '@nestjs/websockets';
import type { Socket } from 'socket.io';
import { Caller, Operation } from '../auth/auth.guard.js';
import type { Principal } from '../auth/principal.js';
import { isConfigEvent } from '../events/events.js';
import { ErrorFilter } from '../transport/error.filter.js';
import { NoFields } from '../transport/input.pipe.js';
import { ConfigSubscriptions } from './config-subscriptions.js';
import { ConfigHistoryDto, ConfigVersionMessage, RollbackConfigMessage, SetConfigMessage, SubscribeConfigMessage } from './config.dto.js';
import { ConfigService } from './config.service.js';

/** The door of Socket.IO: every message is acknowledged with the answer of its REST twin, or with `{ error }`. */
@WebSocketGateway({ namespace: 'config' })
@UseFilters(ErrorFilter)
export class ConfigGateway {
  constructor(
    private readonly config: ConfigService,
    private readonly subscriptions: ConfigSubscriptions,
  ) {}

  @On('subscribe')
  @Operation('config.read')
  subscribe(@ConnectedSocket() socket: Socket, @MessageBody() { since }: SubscribeConfigMessage) {
    // There is one configuration, whatever the tenant.
    return this.subscriptions.subscribe(socket, { key: 'config', matches: isConfigEvent, since });
  }

  @On('unsubscribe')
  @Operation('config.read')
  unsubscribe(@ConnectedSocket() socket: Socket) {
    this.subscriptions.remove(socket);
    return {};
  }

  @On('get')
  @Operation('config.read')
  get(@MessageBody() _body: NoFields) {
    return this.config.get();
  }

  @On('schema')
  @Operation('config.read')
  schema(@MessageBody() _body: NoFields) {
    return this.config.schema();
  }

  @On('set')
  @Operation('config.write')
  set(@Caller() caller: Principal, @MessageBody() { version, ...body }: SetConfigMessage) {
    return this.config.set(caller, body, version);
  }

  @On('history')
  @Operation('config.read')
  history(@MessageBody() query: ConfigHistoryDto) {
    return this.config.history(query);
  }

  @On('version')
  @Operation('config.read')
  version(@MessageBody() { version }: ConfigVersionMessage) {
    return this.config.version(version);
  }

  @On('rollback')
  @Operation('config.write')
  rollback(@Caller() caller: Principal, @MessageBody() { current_version, ...body }: RollbackConfigMessage) {
    return this.config.rollback(caller, body, current_version);
  }
}
