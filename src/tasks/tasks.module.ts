import { Module } from '@nestjs/common';
import { WorkersModule } from '../workers/workers.module.js';
import { FinishWaits } from './finish-waits.js';
import { Idempotency } from './idempotency.js';
import { TaskSubscriptions } from './task-subscriptions.js';
import { TasksController } from './tasks.controller.js';
import { TasksGateway } from './tasks.gateway.js';
import { TasksGrpc } from './tasks.grpc.js';
import { TasksService } from './tasks.service.js';
import { TasksStore } from './tasks.store.js';

@Module({
  imports: [WorkersModule],
  controllers: [TasksController, TasksGrpc],
  providers: [TasksGateway, TasksService, TasksStore, Idempotency, FinishWaits, TaskSubscriptions],
  exports: [TasksService],
})
export class TasksModule {}
