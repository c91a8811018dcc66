import { Module } from '@nestjs/common';
import { AlertsModule } from '../alerts/alerts.module.js';
import { ConfigKeeper } from './config-keeper.js';
import { ConfigSubscriptions } from './config-subscriptions.js';
import { ConfigController } from './config.controller.js';
import { ConfigGateway } from './config.gateway.js';
import { ConfigGrpc } from './config.grpc.js';
import { ConfigService } from './config.service.js';

@Module({
  imports: [AlertsModule],
  controllers: [ConfigController, ConfigGrpc],
  providers: [ConfigGateway, ConfigService, ConfigKeeper, ConfigSubscriptions],
  exports: [ConfigService],
})
export class LiveConfigModule {}
