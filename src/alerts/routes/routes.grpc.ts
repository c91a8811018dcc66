import { Controller } from '@nestjs/common';
import { GrpcMethod, Payload } from '@nestjs/microservices';
import { ApiExcludeController } from '@nestjs/swagger';
import { Caller, Operation } from '../../auth/auth.guard.js';
import type { Principal } from '../../auth/principal.js';
import { NoFields } from '../../transport/input.pipe.js';
import { PutRoutesMessage, TestRoutesDto } from './routes.dto.js';
import { RoutesService } from './routes.service.js';

/** The gRPC door: every call is the twin of a REST call. */
@Controller()
@ApiExcludeController()
export class RoutesGrpc {
  constructor(private readonly routes: RoutesService) {}

  @GrpcMethod('AlertRouteService')
  @Operation('alerts.routes.read')
  async getAlertRoutes(@Caller() caller: Principal, @Payload() _body: NoFields) {
    return { routing: await this.routes.get(caller) };
  }

  @GrpcMethod('AlertRouteService')
  @Operation('alerts.routes.manage')
  async putAlertRoutes(@Caller() caller: Principal, @Payload() { version, ...body }: PutRoutesMessage) {
    return { routing: await this.routes.put(caller, body, version) };
  }

  @GrpcMethod('AlertRouteService')
  @Operation('alerts.routes.manage')
  testAlertRoutes(@Caller() caller: Principal, @Payload() body: TestRoutesDto) {
    return this.routes.test(caller, body);
  }
}
