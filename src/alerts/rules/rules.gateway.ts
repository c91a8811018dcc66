import { UseFilters } from '@nestjs/common';
import { MessageBody, SubscribeMessage as On, WebSocketGateway } from '@nestjs/websockets';
import { Caller, Operation } from '../../auth/auth.guard.js';
import type { Principal } from '../../auth/principal.js';
import { PageDto } from '../../input/query.js';
import { ErrorFilter } from '../../transport/error.filter.js';
import { CreateRuleDto, PatchRuleMessage, RuleIdDto, RuleVersionMessage, TestRuleMessage, TestStoredRuleMessage } from './rules.dto.js';
import { RulesService } from './rules.service.js';

/** The door of Socket.IO: every message is acknowledged with the answer of its REST twin, or with `{ error }`. */
@WebSocketGateway({ namespace: 'alerts' })
@UseFilters(ErrorFilter)
export class RulesGateway {
  constructor(private readonly rules: RulesService) {}

  @On('create_rule')
  @Operation('alerts.rules.manage')
  create(@Caller() caller: Principal, @MessageBody() body: CreateRuleDto) {
    return this.rules.create(caller, body);
  }

  @On('list_rules')
  @Operation('alerts.rules.read')
  list(@Caller() caller: Principal, @MessageBody() page: PageDto) {
    return this.rules.list(caller, page);
  }

  @On('get_rule')
  @Operation('alerts.rules.read')
  get(@Caller() caller: Principal, @MessageBody() { id }: RuleIdDto) {
    return this.rules.get(caller, id);
  }

  @On('update_rule')
  @Operation('alerts.rules.manage')
  update(@Caller() caller: Principal, @MessageBody() { id, version, ...body }: PatchRuleMessage) {
    return this.rules.patch(caller, id, body, version);
  }

  @On('pause_rule')
  @Operation('alerts.rules.manage')
  pause(@Caller() caller: Principal, @MessageBody() { id, version }: RuleVersionMessage) {
    return this.rules.patch(caller, id, { enabled: false }, version);
  }

  @On('resume_rule')
  @Operation('alerts.rules.manage')
  resume(@Caller() caller: Principal, @MessageBody() { id, version }: RuleVersionMessage) {
    return this.rules.patch(caller, id, { enabled: true }, version);
  }

  @On('delete_rule')
  @Operation('alerts.rules.manage')
  async remove(@Caller() caller: Principal, @MessageBody() { id, version }: RuleVersionMessage) {
    await this.rules.remove(caller, id, version);
    return {};
  }

  @On('test_rule')
  @Operation('alerts.rules.test')
  test(@Caller() caller: Principal, @MessageBody() { id, ...range }: TestStoredRuleMessage) {
    return this.rules.test(caller, id, range);
  }

  @On('try_out_rule')
  @Operation('alerts.rules.test')
  tryOut(@Caller() caller: Principal, @MessageBody() { from, to, ...body }: TestRuleMessage) {
    return this.rules.tryOut(caller, body, { from, to });
  }
}
