import { Module } from '@nestjs/common';
import { AlertRaiser } from './alert-raiser.js';
import { AlertSubscriptions } from './alert-subscriptions.js';
import { AlertsKeeper } from './alerts-keeper.js';
import { AlertsController } from './alerts.controller.js';
import { AlertsGateway } from './alerts.gateway.js';
import { AlertsGrpc } from './alerts.grpc.js';
import { AlertsService } from './alerts.service.js';
import { AlertsStore } from './alerts.store.js';
import { FlowModule } from './flow/flow.module.js';
import { OwnAlertRaiser } from './own-alert-raiser.js';

@Module({
  imports: [FlowModule],
  controllers: [AlertsController, AlertsGrpc],
  providers: [
    AlertsGateway,
    AlertsService,
    AlertsStore,
    AlertSubscriptions,
    AlertsKeeper,
    { provide: AlertRaiser, useClass: OwnAlertRaiser },
  ],
  exports: [AlertRaiser, AlertsService, AlertsStore],
})
export class AlertsModule {}
