import { Controller, Get } from '@nestjs/common';
import { Operation } from '../../auth/auth.guard.js';
import { Documented } from './system.openapi.js';
import { SystemService } from './system.service.js';

/** The REST door. */
@Controller('admin')
export class SystemController {
  constructor(private readonly service: SystemService) {}

  @Get('system')
  @Operation('admin.system')
  @Documented.system
  system() {
    return this.service.system();
  }

  @Get('health')
  @Operation('admin.health')
  @Documented.health
  health() {
    return this.service.dependencies();
  }
}
