import { UseFilters } from '@nestjs/common';
import { MessageBody, SubscribeMessage as On, WebSocketGateway } from '@nestjs/websockets';
import { Caller, Operation } from '../../auth/auth.guard.js';
import type { Principal } from '../../auth/principal.js';
import { ErrorFilter } from '../../transport/error.filter.js';
import { NoFields } from '../../transport/input.pipe.js';
import { PutRoutesMessage, TestRoutesDto } from './routes.dto.js';
import { RoutesService } from './routes.service.js';

/** The door of Socket.IO: every message is acknowledged with the answer of its REST twin, or with `{ error }`. */
@WebSocketGateway({ namespace: 'alerts' })
@UseFilters(ErrorFilter)
export class RoutesGateway {
  constructor(private readonly routes: RoutesService) {}

  @On('get_routes')
  @Operation('alerts.routes.read')
  get(@Caller() caller: Principal, @MessageBody() _body: NoFields) {
    return this.routes.get(caller);
  }

  @On('put_routes')
  @Operation('alerts.routes.manage')
  put(@Caller() caller: Principal, @MessageBody() { version, ...body }: PutRoutesMessage) {
    return this.routes.put(caller, body, version);
  }

  @On('test_routes')
  @Operation('alerts.routes.manage')
  test(@Caller() caller: Principal, @MessageBody() body: TestRoutesDto) {
    return this.routes.test(caller, body);
  }
}
