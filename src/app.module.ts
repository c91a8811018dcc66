import { Module, type DynamicModule } from '@nestjs/common';
import { ConfigModule } from '@nestjs/config';
import { APP_FILTER, APP_GUARD, APP_PIPE } from '@nestjs/core';
import { LogsModule } from './admin/logs/logs.module.js';
import { SystemModule } from './admin/system/system.module.js';
import { AlertmanagerApiModule } from './alerts/alertmanager-api/alertmanager-api.module.js';
import { AlertsModule } from './alerts/alerts.module.js';
import { ChannelsModule } from './alerts/channels/channels.module.js';
import { FlowModule } from './alerts/flow/flow.module.js';
import { RoutesModule } from './alerts/routes/routes.module.js';
import { RulesModule } from './alerts/rules/rules.module.js';
import { SilencesModule } from './alerts/silences/silences.module.js';
import { AuditModule } from './audit/audit.module.js';
import { AuthGuard } from './auth/auth.guard.js';
import { AuthModule } from './auth/auth.module.js';
import { HealthModule } from './health/health.module.js';
import { KernelModule } from './kernel.module.js';
import { LiveConfigModule } from './config/config.module.js';
import type { Kernel } from './kernel.js';
import { MetricsModule } from './metrics/metrics.module.js';
import type { Settings } from './settings.js';
import { TasksModule } from './tasks/tasks.module.js';
import { ErrorFilter } from './transport/error.filter.js';
import { ErrorsController } from './transport/errors.controller.js';
import { InputPipe } from './transport/input.pipe.js';
import { WorkersModule } from './workers/workers.module.js';

@Module({
  imports: [
    AuthModule,
    HealthModule,
    TasksModule,
    WorkersModule,
    MetricsModule,
    AlertsModule,
    ChannelsModule,
    FlowModule,
    RoutesModule,
    RulesModule,
    SilencesModule,
    AlertmanagerApiModule,
    LiveConfigModule,
    AuditModule,
    LogsModule,
    SystemModule,
  ],
  controllers: [ErrorsController],
  providers: [
    { provide: APP_GUARD, useClass: AuthGuard },
    { provide: APP_PIPE, useClass: InputPipe },
    { provide: APP_FILTER, useClass: ErrorFilter },
  ],
})
export class AppModule {
  static of(kernel: Kernel, settings: Settings): DynamicModule {
    // Nest's own ConfigService shows what the process has started with, and reads nothing by itself; what holds now is in SETTINGS.
    const config = ConfigModule.forRoot({ isGlobal: true, ignoreEnvFile: true, skipProcessEnv: true, load: [() => settings] });
    return { module: AppModule, imports: [config, KernelModule.of(kernel, settings)] };
  }
}
