import { Module } from '@nestjs/common';
import { FlowModule } from '../flow/flow.module.js';
import { RoutesController } from './routes.controller.js';
import { RoutesGateway } from './routes.gateway.js';
import { RoutesGrpc } from './routes.grpc.js';
import { RoutesService } from './routes.service.js';
import { RoutesStore } from './routes.store.js';

@Module({
  imports: [FlowModule],
  controllers: [RoutesController, RoutesGrpc],
  providers: [RoutesGateway, RoutesService, RoutesStore],
})
export class RoutesModule {}
