import { Module } from '@nestjs/common';
import { EventStreams } from '../transport/sse.js';
import { FinishWaits } from './finish-waits.js';
import { Idempotency } from './idempotency.js';
import { TaskSubscriptions } from './task-subscriptions.js';
import { TasksController } from './tasks.controller.js';
import { TasksGateway } from './tasks.gateway.js';
import { TasksService } from './tasks.service.js';
import { TasksStore } from './tasks.store.js';

@Module({
  controllers: [TasksController],
  providers: [TasksGateway, TasksService, TasksStore, Idempotency, FinishWaits, TaskSubscriptions, EventStreams],
  exports: [TasksService],
})
export class TasksModule {}
