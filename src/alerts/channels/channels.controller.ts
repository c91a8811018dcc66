import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Patch, Post, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Caller, Operation } from '../../auth/auth.guard.js';
import type { Principal } from '../../auth/principal.js';
import { versionFrom } from '../../input/preconditions.js';
import { PageDto } from '../../input/query.js';
import { NoBody } from '../../transport/input.pipe.js';
import type { ChannelView } from './channel-changes.js';
import { ChannelIdDto, CreateChannelDto, PatchChannelDto } from './channels.dto.js';
import { Documented } from './channels.openapi.js';
import { ChannelsService } from './channels.service.js';

/** The REST door. */
@Controller('alerts/channels')
export class ChannelsController {
  constructor(private readonly channels: ChannelsService) {}

  @Post()
  @Operation('alerts.channels.manage')
  @Documented.create
  async create(@Caller() caller: Principal, @Body() body: CreateChannelDto, @Res({ passthrough: true }) reply: FastifyReply) {
    const channel = await this.channels.create(caller, body);
    reply.header('location', `/alerts/channels/${channel.id}`);
    return tagged(reply, channel);
  }

  @Get()
  @Operation('alerts.channels.read')
  @Documented.list
  list(@Caller() caller: Principal, @Query() page: PageDto) {
    return this.channels.list(caller, page);
  }

  @Get(':id')
  @Operation('alerts.channels.read')
  @Documented.get
  async get(@Caller() caller: Principal, @Param() { id }: ChannelIdDto, @Res({ passthrough: true }) reply: FastifyReply) {
    return tagged(reply, await this.channels.get(caller, id));
  }

  @Patch(':id')
  @Operation('alerts.channels.manage')
  @Documented.patch
  async patch(
    @Caller() caller: Principal,
    @Param() { id }: ChannelIdDto,
    @Body() body: PatchChannelDto,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return tagged(reply, await this.channels.patch(caller, id, body, versionFrom(ifMatch)));
  }

  @Delete(':id')
  @HttpCode(204)
  @Operation('alerts.channels.manage')
  @Documented.remove
  async remove(@Caller() caller: Principal, @Param() { id }: ChannelIdDto, @Headers('if-match') ifMatch: string | undefined) {
    await this.channels.remove(caller, id, versionFrom(ifMatch));
  }

  @Post(':id/test')
  @HttpCode(200)
  @Operation('alerts.channels.manage')
  @Documented.test
  test(@Caller() caller: Principal, @Param() { id }: ChannelIdDto, @NoBody() _body: void) {
    return this.channels.test(caller, id);
  }

  @Get(':id/deliveries')
  @Operation('alerts.channels.read')
  @Documented.deliveries
  deliveries(@Caller() caller: Principal, @Param() { id }: ChannelIdDto, @Query() page: PageDto) {
    return this.channels.deliveries(caller, id, page);
  }
}

function tagged(reply: FastifyReply, channel: ChannelView): ChannelView {
  reply.header('etag', `"${channel.version}"`);
  return channel;
}
