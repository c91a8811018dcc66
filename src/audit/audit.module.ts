import { Module } from '@nestjs/common';
import { AlertsModule } from '../alerts/alerts.module.js';
import { AuditKeeper } from './audit-keeper.js';
import { AuditTrail } from './audit-trail.js';
import { AuditController } from './audit.controller.js';
import { AuditGateway } from './audit.gateway.js';
import { AuditGrpc } from './audit.grpc.js';
import { AuditService } from './audit.service.js';
import { AuditStore } from './audit.store.js';

@Module({
  imports: [AlertsModule],
  controllers: [AuditController, AuditGrpc],
  providers: [AuditGateway, AuditService, AuditStore, AuditTrail, AuditKeeper],
  exports: [AuditStore],
})
export class AuditModule {}
