import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Patch, Post, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Caller, Operation } from '../../auth/auth.guard.js';
import type { Principal } from '../../auth/principal.js';
import { versionFrom } from '../../input/preconditions.js';
import { PageDto } from '../../input/query.js';
import { NoBody } from '../../transport/input.pipe.js';
import { CreateRuleDto, PatchRuleDto, RuleIdDto, TestRangeDto, TestRuleDto } from './rules.dto.js';
import { Documented } from './rules.openapi.js';
import { RulesService, type RuleView } from './rules.service.js';

/** The REST door. */
@Controller('alerts/rules')
export class RulesController {
  constructor(private readonly rules: RulesService) {}

  @Post()
  @Operation('alerts.rules.manage')
  @Documented.create
  async create(@Caller() caller: Principal, @Body() body: CreateRuleDto, @Res({ passthrough: true }) reply: FastifyReply) {
    const rule = await this.rules.create(caller, body);
    reply.header('location', `/alerts/rules/${rule.id}`);
    return tagged(reply, rule);
  }

  @Get()
  @Operation('alerts.rules.read')
  @Documented.list
  list(@Caller() caller: Principal, @Query() page: PageDto) {
    return this.rules.list(caller, page);
  }

  @Post('test')
  @HttpCode(200)
  @Operation('alerts.rules.test')
  @Documented.tryOut
  tryOut(@Caller() caller: Principal, @Body() body: TestRuleDto, @Query() range: TestRangeDto) {
    return this.rules.tryOut(caller, body, range);
  }

  @Get(':id')
  @Operation('alerts.rules.read')
  @Documented.get
  async get(@Caller() caller: Principal, @Param() { id }: RuleIdDto, @Res({ passthrough: true }) reply: FastifyReply) {
    return tagged(reply, await this.rules.get(caller, id));
  }

  @Patch(':id')
  @Operation('alerts.rules.manage')
  @Documented.patch
  async patch(
    @Caller() caller: Principal,
    @Param() { id }: RuleIdDto,
    @Body() body: PatchRuleDto,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return tagged(reply, await this.rules.patch(caller, id, body, versionFrom(ifMatch)));
  }

  @Post(':id/pause')
  @HttpCode(200)
  @Operation('alerts.rules.manage')
  @Documented.pause
  async pause(
    @Caller() caller: Principal,
    @Param() { id }: RuleIdDto,
    @NoBody() _body: void,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return tagged(reply, await this.rules.patch(caller, id, { enabled: false }));
  }

  @Post(':id/resume')
  @HttpCode(200)
  @Operation('alerts.rules.manage')
  @Documented.resume
  async resume(
    @Caller() caller: Principal,
    @Param() { id }: RuleIdDto,
    @NoBody() _body: void,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return tagged(reply, await this.rules.patch(caller, id, { enabled: true }));
  }

  @Delete(':id')
  @HttpCode(204)
  @Operation('alerts.rules.manage')
  @Documented.remove
  async remove(@Caller() caller: Principal, @Param() { id }: RuleIdDto, @Headers('if-match') ifMatch: string | undefined) {
    await this.rules.remove(caller, id, versionFrom(ifMatch));
  }

  @Post(':id/test')
  @HttpCode(200)
  @Operation('alerts.rules.test')
  @Documented.test
  test(@Caller() caller: Principal, @Param() { id }: RuleIdDto, @Query() range: TestRangeDto, @NoBody() _body: void) {
    return this.rules.test(caller, id, range);
  }
}

function tagged(reply: FastifyReply, rule: RuleView): RuleView {
  reply.header('etag', `"${rule.version}"`);
  return rule;
}
