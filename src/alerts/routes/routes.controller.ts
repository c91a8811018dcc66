import { Body, Controller, Get, Headers, HttpCode, Post, Put, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Caller, Operation } from '../../auth/auth.guard.js';
import type { Principal } from '../../auth/principal.js';
import { versionFrom } from '../../input/preconditions.js';
import { PutRoutesDto, TestRoutesDto } from './routes.dto.js';
import { Documented } from './routes.openapi.js';
import { RoutesService, type RoutingAnswer } from './routes.service.js';

/** The REST door. */
@Controller('alerts/routes')
export class RoutesController {
  constructor(private readonly routes: RoutesService) {}

  @Get()
  @Operation('alerts.routes.read')
  @Documented.get
  async get(@Caller() caller: Principal, @Res({ passthrough: true }) reply: FastifyReply) {
    return tagged(reply, await this.routes.get(caller));
  }

  @Put()
  @Operation('alerts.routes.manage')
  @Documented.put
  async put(
    @Caller() caller: Principal,
    @Body() body: PutRoutesDto,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return tagged(reply, await this.routes.put(caller, body, versionFrom(ifMatch)));
  }

  @Post('test')
  @HttpCode(200)
  @Operation('alerts.routes.manage')
  @Documented.test
  test(@Caller() caller: Principal, @Body() body: TestRoutesDto) {
    return this.routes.test(caller, body);
  }
}

function tagged(reply: FastifyReply, routing: RoutingAnswer): RoutingAnswer {
  reply.header('etag', `"${routing.version}"`);
  return routing;
}
