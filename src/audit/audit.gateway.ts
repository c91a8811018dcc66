import { UseFilters } from '@nestjs/common';
import { MessageBody, SubscribeMessage as On, WebSocketGateway } from '@nestjs/websockets';
import { Caller, Operation } from '../auth/auth.guard.js';
import type { Principal } from '../auth/principal.js';
import { ErrorFilter } from '../transport/error.filter.js';
import { ListAuditDto, VerifyAuditDto } from './audit.dto.js';
import { AuditService } from './audit.service.js';

/** The door of Socket.IO: every message is acknowledged with the answer of its REST twin, or with `{ error }`. */
@WebSocketGateway({ namespace: 'admin' })
@UseFilters(ErrorFilter)
export class AuditGateway {
  constructor(private readonly audit: AuditService) {}

  @On('audit')
  @Operation('admin.audit')
  list(@Caller() caller: Principal, @MessageBody() query: ListAuditDto) {
    return this.audit.list(caller, query);
  }

  @On('audit_verify')
  @Operation('admin.audit')
  verify(@MessageBody() query: VerifyAuditDto) {
    return this.audit.verify(query);
  }
}
