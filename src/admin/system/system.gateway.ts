import { UseFilters } from '@nestjs/common';
import { MessageBody, SubscribeMessage as On, WebSocketGateway } from '@nestjs/websockets';
import { Operation } from '../../auth/auth.guard.js';
import { ErrorFilter } from '../../transport/error.filter.js';
import { NoFields } from '../../transport/input.pipe.js';
import { SystemService } from './system.service.js';

/** The door of Socket.IO: every message is acknowledged with the answer of its REST twin, or with `{ error }`. */
@WebSocketGateway({ namespace: 'admin' })
@UseFilters(ErrorFilter)
export class SystemGateway {
  constructor(private readonly service: SystemService) {}

  @On('system')
  @Operation('admin.system')
  system(@MessageBody() _body: NoFields) {
    return this.service.system();
  }

  @On('health')
  @Operation('admin.health')
  health(@MessageBody() _body: NoFields) {
    return this.service.dependencies();
  }
}
