import { Controller } from '@nestjs/common';
import { GrpcMethod, Payload } from '@nestjs/microservices';
import { ApiExcludeController } from '@nestjs/swagger';
import { Caller, Operation } from '../../auth/auth.guard.js';
import type { Principal } from '../../auth/principal.js';
import { CreateSilenceDto, ExpireSilenceMessage, ListSilencesDto, PatchSilenceMessage, SilenceMessage } from './silences.dto.js';
import { SilencesService } from './silences.service.js';

/** The gRPC door: every call is the twin of a REST call. */
@Controller()
@ApiExcludeController()
export class SilencesGrpc {
  constructor(private readonly silences: SilencesService) {}

  @GrpcMethod('AlertSilenceService')
  @Operation('alerts.silences.manage')
  async createAlertSilence(@Caller() caller: Principal, @Payload() body: CreateSilenceDto) {
    return { silence: await this.silences.create(caller, body) };
  }

  @GrpcMethod('AlertSilenceService')
  @Operation('alerts.silences.read')
  listAlertSilences(@Caller() caller: Principal, @Payload() filters: ListSilencesDto) {
    return this.silences.list(caller, filters);
  }

  @GrpcMethod('AlertSilenceService')
  @Operation('alerts.silences.read')
  async getAlertSilence(@Caller() caller: Principal, @Payload() { id }: SilenceMessage) {
    return { silence: await this.silences.get(caller, id) };
  }

  @GrpcMethod('AlertSilenceService')
  @Operation('alerts.silences.manage')
  async updateAlertSilence(@Caller() caller: Principal, @Payload() { id, version, ...body }: PatchSilenceMessage) {
    return { silence: await this.silences.patch(caller, id, body, version) };
  }

  @GrpcMethod('AlertSilenceService')
  @Operation('alerts.silences.manage')
  async expireAlertSilence(@Caller() caller: Principal, @Payload() { id, version }: ExpireSilenceMessage) {
    return { silence: await this.silences.expire(caller, id, version) };
  }
}
