import { Module } from '@nestjs/common';
import { AlertSubscriptions } from './alert-subscriptions.js';
import { AlertsKeeper } from './alerts-keeper.js';
import { AlertsController } from './alerts.controller.js';
import { AlertsGateway } from './alerts.gateway.js';
import { AlertsGrpc } from './alerts.grpc.js';
import { AlertsService } from './alerts.service.js';
import { AlertsStore } from './alerts.store.js';

@Module({
  controllers: [AlertsController, AlertsGrpc],
  providers: [AlertsGateway, AlertsService, AlertsStore, AlertSubscriptions, AlertsKeeper],
})
export class AlertsModule {}
