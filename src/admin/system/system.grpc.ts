import { Controller } from '@nestjs/common';
import { GrpcMethod, Payload } from '@nestjs/microservices';
import { ApiExcludeController } from '@nestjs/swagger';
import { Operation } from '../../auth/auth.guard.js';
import { NoFields } from '../../transport/input.pipe.js';
import { SystemService } from './system.service.js';

/** The gRPC door: every call is the twin of a REST call. */
@Controller()
@ApiExcludeController()
export class SystemGrpc {
  constructor(private readonly service: SystemService) {}

  @GrpcMethod('AdminService')
  @Operation('admin.system')
  getSystem(@Payload() _body: NoFields) {
    return this.service.system();
  }

  @GrpcMethod('AdminService')
  @Operation('admin.health')
  getHealth(@Payload() _body: NoFields) {
    return this.service.dependencies();
  }
}
