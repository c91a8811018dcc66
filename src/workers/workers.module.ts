import { Module } from '@nestjs/common';
import { KnownTypes } from './known-types.js';
import { WorkerPool } from './worker-pool.js';
import { WorkersController } from './workers.controller.js';
import { WorkersGrpc } from './workers.grpc.js';
import { WorkersService } from './workers.service.js';
import { WorkersStore } from './workers.store.js';

@Module({
  controllers: [WorkersController, WorkersGrpc],
  providers: [WorkersService, WorkerPool, WorkersStore, KnownTypes],
  exports: [KnownTypes, WorkerPool],
})
export class WorkersModule {}
