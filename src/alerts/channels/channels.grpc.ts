import { Controller } from '@nestjs/common';
import { GrpcMethod, Payload } from '@nestjs/microservices';
import { ApiExcludeController } from '@nestjs/swagger';
import { Caller, Operation } from '../../auth/auth.guard.js';
import type { Principal } from '../../auth/principal.js';
import { PageDto } from '../../input/query.js';
import { ChannelIdDto, CreateChannelDto, DeleteChannelMessage, DeliveriesMessage, PatchChannelMessage } from './channels.dto.js';
import { ChannelsService } from './channels.service.js';

/** The gRPC door: every call is the twin of a REST call. */
@Controller()
@ApiExcludeController()
export class ChannelsGrpc {
  constructor(private readonly channels: ChannelsService) {}

  @GrpcMethod('AlertChannelService')
  @Operation('alerts.channels.manage')
  async createAlertChannel(@Caller() caller: Principal, @Payload() body: CreateChannelDto) {
    return { channel: await this.channels.create(caller, body) };
  }

  @GrpcMethod('AlertChannelService')
  @Operation('alerts.channels.read')
  listAlertChannels(@Caller() caller: Principal, @Payload() page: PageDto) {
    return this.channels.list(caller, page);
  }

  @GrpcMethod('AlertChannelService')
  @Operation('alerts.channels.read')
  async getAlertChannel(@Caller() caller: Principal, @Payload() { id }: ChannelIdDto) {
    return { channel: await this.channels.get(caller, id) };
  }

  @GrpcMethod('AlertChannelService')
  @Operation('alerts.channels.manage')
  async updateAlertChannel(@Caller() caller: Principal, @Payload() { id, version, ...body }: PatchChannelMessage) {
    return { channel: await this.channels.patch(caller, id, body, version) };
  }

  @GrpcMethod('AlertChannelService')
  @Operation('alerts.channels.manage')
  async deleteAlertChannel(@Caller() caller: Principal, @Payload() { id, version }: DeleteChannelMessage) {
    await this.channels.remove(caller, id, version);
    return {};
  }

  @GrpcMethod('AlertChannelService')
  @Operation('alerts.channels.manage')
  testAlertChannel(@Caller() caller: Principal, @Payload() { id }: ChannelIdDto) {
    return this.channels.test(caller, id);
  }

  @GrpcMethod('AlertChannelService')
  @Operation('alerts.channels.read')
  listAlertDeliveries(@Caller() caller: Principal, @Payload() { id, ...page }: DeliveriesMessage) {
    return this.channels.deliveries(caller, id, page);
  }
}
