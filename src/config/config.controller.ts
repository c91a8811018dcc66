import { Body, Controller, Get, Headers, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Caller, Operation } from '../auth/auth.guard.js';
import type { Principal } from '../auth/principal.js';
import { versionFrom } from '../input/preconditions.js';
import { validateInput } from '../input/validate.js';
import { ConfigHistoryDto, ConfigVersionMessage, DryRunDto, RollbackConfigDto, SetConfigDto } from './config.dto.js';
import { Documented } from './config.openapi.js';
import { ConfigService } from './config.service.js';

/** The REST door. */
@Controller('config')
export class ConfigController {
  constructor(private readonly config: ConfigService) {}

  @Get()
  @Operation('config.read')
  @Documented.get
  get(@Res({ passthrough: true }) reply: FastifyReply) {
    return tagged(reply, this.config.get());
  }

  @Post()
  @HttpCode(200)
  @Operation('config.write')
  @Documented.set
  async set(
    @Caller() caller: Principal,
    @Body() body: SetConfigDto,
    @Query() query: DryRunDto,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return tagged(reply, await this.config.set(caller, withDryRun(body, query), versionFrom(ifMatch)));
  }

  @Get('schema')
  @Operation('config.read')
  @Documented.schema
  schema() {
    return this.config.schema();
  }

  @Get('history')
  @Operation('config.read')
  @Documented.history
  history(@Query() query: ConfigHistoryDto) {
    return this.config.history(query);
  }

  @Get('versions/:version')
  @Operation('config.read')
  @Documented.version
  version(@Param('version') number: string) {
    const version = /^\d{1,15}$/.test(number) ? Number(number) : number;
    return this.config.version(validateInput(ConfigVersionMessage, { version }).version);
  }

  @Post('rollback')
  @HttpCode(200)
  @Operation('config.write')
  @Documented.rollback
  async rollback(
    @Caller() caller: Principal,
    @Body() body: RollbackConfigDto,
    @Query() query: DryRunDto,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return tagged(reply, await this.config.rollback(caller, withDryRun(body, query), versionFrom(ifMatch)));
  }
}

function withDryRun<T extends { dry_run: boolean }>(body: T, { dry_run }: DryRunDto): T {
  return { ...body, dry_run: body.dry_run || dry_run === 'true' };
}

/** The version that a change may name in If-Match. */
function tagged<T extends { version: number }>(reply: FastifyReply, answer: T): T {
  reply.header('etag', `"${answer.version}"`);
  return answer;
}
