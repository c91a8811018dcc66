import { Module } from '@nestjs/common';
import { AlertsModule } from '../../alerts/alerts.module.js';
import { AuditModule } from '../../audit/audit.module.js';
import { AdminTokens } from '../../auth/admin-tokens.js';
import { AdminTokensStore } from '../../auth/admin-tokens.store.js';
import { LiveConfigModule } from '../../config/config.module.js';
import { HealthModule } from '../../health/health.module.js';
import { MetricsModule } from '../../metrics/metrics.module.js';
import { Idempotency } from '../../tasks/idempotency.js';
import { WorkersModule } from '../../workers/workers.module.js';
import { LogsModule } from '../logs/logs.module.js';
import { SystemModule } from '../system/system.module.js';
import { ActionFiles } from './action-files.js';
import { actionKinds, ActionRegistry } from './action-registry.js';
import { ActionRunner } from './action-runner.js';
import { ActionSubscriptions } from './action-subscriptions.js';
import { ActionsController } from './actions.controller.js';
import { ActionsGateway } from './actions.gateway.js';
import { ActionsGrpc } from './actions.grpc.js';
import { ActionsKeeper } from './actions-keeper.js';
import { ActionsService } from './actions.service.js';
import { ActionsStore } from './actions.store.js';

@Module({
  imports: [AlertsModule, AuditModule, HealthModule, LiveConfigModule, LogsModule, MetricsModule, SystemModule, WorkersModule],
  controllers: [ActionsController, ActionsGrpc],
  providers: [
    ActionsGateway,
    ActionsService,
    ActionsStore,
    ActionFiles,
    ActionRunner,
    ActionsKeeper,
    ActionRegistry,
    ActionSubscriptions,
    Idempotency,
    AdminTokens,
    AdminTokensStore,
    ...actionKinds,
  ],
})
export class ActionsModule {}
