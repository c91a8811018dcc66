import { Module } from '@nestjs/common';
import { Database } from '../../database/database.js';
import { LogSubscriptions } from './log-subscriptions.js';
import { LogWatch } from './log-watch.js';
import { LogsController } from './logs.controller.js';
import { LogsGateway } from './logs.gateway.js';
import { LogsGrpc } from './logs.grpc.js';
import { LogsKeeper } from './logs-keeper.js';
import { LogsService } from './logs.service.js';
import { LogsStore } from './logs.store.js';

@Module({
  controllers: [LogsController, LogsGrpc],
  providers: [
    LogsGateway,
    LogsService,
    LogWatch,
    LogSubscriptions,
    LogsKeeper,
    { provide: LogsStore, useFactory: (database: Database) => new LogsStore(database), inject: [Database] },
  ],
  exports: [LogsService, LogsStore],
})
export class LogsModule {}
