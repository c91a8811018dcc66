import { UseFilters } from '@nestjs/common';
import { MessageBody, SubscribeMessage as On, WebSocketGateway } from '@nestjs/websockets';
import { Caller, Operation } from '../../auth/auth.guard.js';
import type { Principal } from '../../auth/principal.js';
import { ErrorFilter } from '../../transport/error.filter.js';
import { CreateSilenceDto, ExpireSilenceMessage, ListSilencesDto, PatchSilenceMessage, SilenceMessage } from './silences.dto.js';
import { SilencesService } from './silences.service.js';

/** The door of Socket.IO: every message is acknowledged with the answer of its REST twin, or with `{ error }`. */
@WebSocketGateway({ namespace: 'alerts' })
@UseFilters(ErrorFilter)
export class SilencesGateway {
  constructor(private readonly silences: SilencesService) {}

  @On('create_silence')
  @Operation('alerts.silences.manage')
  create(@Caller() caller: Principal, @MessageBody() body: CreateSilenceDto) {
    return this.silences.create(caller, body);
  }

  @On('list_silences')
  @Operation('alerts.silences.read')
  list(@Caller() caller: Principal, @MessageBody() filters: ListSilencesDto) {
    return this.silences.list(caller, filters);
  }

  @On('get_silence')
  @Operation('alerts.silences.read')
  get(@Caller() caller: Principal, @MessageBody() { id }: SilenceMessage) {
    return this.silences.get(caller, id);
  }

  @On('update_silence')
  @Operation('alerts.silences.manage')
  update(@Caller() caller: Principal, @MessageBody() { id, version, ...body }: PatchSilenceMessage) {
    return this.silences.patch(caller, id, body, version);
  }

  @On('expire_silence')
  @Operation('alerts.silences.manage')
  expire(@Caller() caller: Principal, @MessageBody() { id, version }: ExpireSilenceMessage) {
    return this.silences.expire(caller, id, version);
  }
}
