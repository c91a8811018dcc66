import { Body, Controller, Delete, Get, Headers, HttpCode, Patch, Post, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Caller, Operation } from '../../auth/auth.guard.js';
import type { Principal } from '../../auth/principal.js';
import { versionFrom } from '../../input/preconditions.js';
import { Id } from '../../transport/input.pipe.js';
import type { Silence } from './silence.js';
import { CreateSilenceDto, ListSilencesDto, PatchSilenceDto } from './silences.dto.js';
import { Documented } from './silences.openapi.js';
import { SilencesService } from './silences.service.js';

/** The REST door. */
@Controller('alerts/silences')
export class SilencesController {
  constructor(private readonly silences: SilencesService) {}

  @Post()
  @Operation('alerts.silences.manage')
  @Documented.create
  async create(@Caller() caller: Principal, @Body() body: CreateSilenceDto, @Res({ passthrough: true }) reply: FastifyReply) {
    const silence = await this.silences.create(caller, body);
    reply.header('location', `/alerts/silences/${silence.id}`);
    return tagged(reply, silence);
  }

  @Get()
  @Operation('alerts.silences.read')
  @Documented.list
  list(@Caller() caller: Principal, @Query() filters: ListSilencesDto) {
    return this.silences.list(caller, filters);
  }

  @Get(':id')
  @Operation('alerts.silences.read')
  @Documented.get
  async get(@Caller() caller: Principal, @Id('a silence') id: string, @Res({ passthrough: true }) reply: FastifyReply) {
    return tagged(reply, await this.silences.get(caller, id));
  }

  @Patch(':id')
  @Operation('alerts.silences.manage')
  @Documented.patch
  async patch(
    @Caller() caller: Principal,
    @Id('a silence') id: string,
    @Body() body: PatchSilenceDto,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return tagged(reply, await this.silences.patch(caller, id, body, versionFrom(ifMatch)));
  }

  @Delete(':id')
  @HttpCode(204)
  @Operation('alerts.silences.manage')
  @Documented.expire
  async expire(@Caller() caller: Principal, @Id('a silence') id: string, @Headers('if-match') ifMatch: string | undefined) {
    await this.silences.expire(caller, id, versionFrom(ifMatch));
  }
}

function tagged(reply: FastifyReply, silence: Silence): Silence {
  reply.header('etag', `"${silence.version}"`);
  return silence;
}
