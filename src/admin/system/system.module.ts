import { Module } from '@nestjs/common';
import { Database } from '../../database/database.js';
import { HealthModule } from '../../health/health.module.js';
import { OwnProcess } from './own-process.js';
import { SystemController } from './system.controller.js';
import { SystemGateway } from './system.gateway.js';
import { SystemGrpc } from './system.grpc.js';
import { SystemService } from './system.service.js';
import { SystemStore } from './system.store.js';

@Module({
  imports: [HealthModule],
  controllers: [SystemController, SystemGrpc],
  providers: [
    SystemGateway,
    SystemService,
    OwnProcess,
    { provide: SystemStore, useFactory: (database: Database) => new SystemStore(database), inject: [Database] },
  ],
})
export class SystemModule {}
