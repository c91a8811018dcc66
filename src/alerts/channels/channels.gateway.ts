import { UseFilters } from '@nestjs/common';
import { MessageBody, SubscribeMessage as On, WebSocketGateway, type OnGatewayInit } from '@nestjs/websockets';
import type { Namespace } from 'socket.io';
import { Caller, Operation } from '../../auth/auth.guard.js';
import type { Principal } from '../../auth/principal.js';
import { PageDto } from '../../input/query.js';
import { ErrorFilter } from '../../transport/error.filter.js';
import { ChannelIdDto, CreateChannelDto, DeleteChannelMessage, DeliveriesMessage, PatchChannelMessage } from './channels.dto.js';
import { ChannelsService } from './channels.service.js';
import { SocketListeners } from './socket-listeners.js';

/** The door of Socket.IO: every message is acknowledged with the answer of its REST twin, or with `{ error }`. */
@WebSocketGateway({ namespace: 'alerts' })
@UseFilters(ErrorFilter)
export class ChannelsGateway implements OnGatewayInit<Namespace> {
  constructor(
    private readonly channels: ChannelsService,
    private readonly listeners: SocketListeners,
  ) {}

  afterInit(namespace: Namespace): void {
    this.listeners.attach(namespace);
  }

  @On('create_channel')
  @Operation('alerts.channels.manage')
  create(@Caller() caller: Principal, @MessageBody() body: CreateChannelDto) {
    return this.channels.create(caller, body);
  }

  @On('list_channels')
  @Operation('alerts.channels.read')
  list(@Caller() caller: Principal, @MessageBody() page: PageDto) {
    return this.channels.list(caller, page);
  }

  @On('get_channel')
  @Operation('alerts.channels.read')
  get(@Caller() caller: Principal, @MessageBody() { id }: ChannelIdDto) {
    return this.channels.get(caller, id);
  }

  @On('update_channel')
  @Operation('alerts.channels.manage')
  update(@Caller() caller: Principal, @MessageBody() { id, version, ...body }: PatchChannelMessage) {
    return this.channels.patch(caller, id, body, version);
  }

  @On('delete_channel')
  @Operation('alerts.channels.manage')
  async remove(@Caller() caller: Principal, @MessageBody() { id, version }: DeleteChannelMessage) {
    await this.channels.remove(caller, id, version);
    return {};
  }

  @On('test_channel')
  @Operation('alerts.channels.manage')
  test(@Caller() caller: Principal, @MessageBody() { id }: ChannelIdDto) {
    return this.channels.test(caller, id);
  }

  @On('list_deliveries')
  @Operation('alerts.channels.read')
  deliveries(@Caller() caller: Principal, @MessageBody() { id, ...page }: DeliveriesMessage) {
    return this.channels.deliveries(caller, id, page);
  }
}
