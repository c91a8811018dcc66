import { Controller } from '@nestjs/common';
import { GrpcMethod, Payload } from '@nestjs/microservices';
import { ApiExcludeController } from '@nestjs/swagger';
import { Caller, Operation } from '../../auth/auth.guard.js';
import type { Principal } from '../../auth/principal.js';
import { PageDto } from '../../input/query.js';
import { CreateRuleDto, PatchRuleMessage, RuleIdDto, RuleVersionMessage, TestRuleMessage, TestStoredRuleMessage } from './rules.dto.js';
import { RulesService } from './rules.service.js';

/** The gRPC door: every call is the twin of a REST call. */
@Controller()
@ApiExcludeController()
export class RulesGrpc {
  constructor(private readonly rules: RulesService) {}

  @GrpcMethod('AlertRuleService')
  @Operation('alerts.rules.manage')
  async createAlertRule(@Caller() caller: Principal, @Payload() body: CreateRuleDto) {
    return { rule: await this.rules.create(caller, body) };
  }

  @GrpcMethod('AlertRuleService')
  @Operation('alerts.rules.read')
  listAlertRules(@Caller() caller: Principal, @Payload() page: PageDto) {
    return this.rules.list(caller, page);
  }

  @GrpcMethod('AlertRuleService')
  @Operation('alerts.rules.read')
  async getAlertRule(@Caller() caller: Principal, @Payload() { id }: RuleIdDto) {
    return { rule: await this.rules.get(caller, id) };
  }

  @GrpcMethod('AlertRuleService')
  @Operation('alerts.rules.manage')
  async updateAlertRule(@Caller() caller: Principal, @Payload() { id, version, ...body }: PatchRuleMessage) {
    return { rule: await this.rules.patch(caller, id, body, version) };
  }

  @GrpcMethod('AlertRuleService')
  @Operation('alerts.rules.manage')
  async pauseAlertRule(@Caller() caller: Principal, @Payload() { id, version }: RuleVersionMessage) {
    return { rule: await this.rules.patch(caller, id, { enabled: false }, version) };
  }

  @GrpcMethod('AlertRuleService')
  @Operation('alerts.rules.manage')
  async resumeAlertRule(@Caller() caller: Principal, @Payload() { id, version }: RuleVersionMessage) {
    return { rule: await this.rules.patch(caller, id, { enabled: true }, version) };
  }

  @GrpcMethod('AlertRuleService')
  @Operation('alerts.rules.manage')
  async deleteAlertRule(@Caller() caller: Principal, @Payload() { id, version }: RuleVersionMessage) {
    await this.rules.remove(caller, id, version);
    return {};
  }

  @GrpcMethod('AlertRuleService')
  @Operation('alerts.rules.test')
  testAlertRule(@Caller() caller: Principal, @Payload() { id, ...range }: TestStoredRuleMessage) {
    return this.rules.test(caller, id, range);
  }

  @GrpcMethod('AlertRuleService')
  @Operation('alerts.rules.test')
  tryOutAlertRule(@Caller() caller: Principal, @Payload() { from, to, ...body }: TestRuleMessage) {
    return this.rules.tryOut(caller, body, { from, to });
  }
}
