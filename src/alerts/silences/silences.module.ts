import { Module } from '@nestjs/common';
import { AlertsModule } from '../alerts.module.js';
import { FlowModule } from '../flow/flow.module.js';
import { SilencesKeeper } from './silences-keeper.js';
import { SilencesController } from './silences.controller.js';
import { SilencesGateway } from './silences.gateway.js';
import { SilencesGrpc } from './silences.grpc.js';
import { SilencesService } from './silences.service.js';
import { SilencesStore } from './silences.store.js';

@Module({
  imports: [AlertsModule, FlowModule],
  controllers: [SilencesController, SilencesGrpc],
  providers: [SilencesGateway, SilencesService, SilencesStore, SilencesKeeper],
  exports: [SilencesService],
})
export class SilencesModule {}
