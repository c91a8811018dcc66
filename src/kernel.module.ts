import { Module, type DynamicModule } from '@nestjs/common';
import { ConfigStore } from './config/config.store.js';
import { configProbe } from './config/config.probe.js';
import { ConfigSync } from './config/config-sync.js';
import { LogStorage } from './admin/logs/log-storage.js';
import { REDIS } from './admin/system/system.tokens.js';
import { Database } from './database/database.js';
import { Engine } from './engine/engine.js';
import { Leader } from './engine/leader.js';
import { EventLog } from './events/event-log.js';
import { EventWatch } from './events/event-watch.js';
import { WakeUps } from './events/wake-ups.js';
import { HandlerRegistry } from './handlers/handlers.js';
import { HEALTH_PROBES } from './health/health-probe.js';
import { Lifecycle } from './health/lifecycle.js';
import { databaseProbe, migrationsProbe, wakeUpsProbe } from './health/database.probes.js';
import { redisProbe } from './health/redis.probe.js';
import type { Kernel } from './kernel.js';
import { LiveSettings } from './live-settings.js';
import { Redactor } from './logging/redactor.js';
import { ReplicaStatus } from './metrics/prometheus/replica-status.js';
import { SETTINGS, type Settings } from './settings.js';
import { Tracing } from './tracing/tracing.js';
import { Connections } from './transport/connections.js';
import { requestContext } from './transport/request-context.js';
import { RequestObserver, RequestObservers } from './transport/request-observer.js';
import { EventStreams } from './transport/sse.js';
import { REPLICA_ID } from './workers/workers.tokens.js';

/** What every feature may inject: the running parts of this replica and its settings. */
@Module({})
export class KernelModule {
  static of(kernel: Kernel, settings: Settings): DynamicModule {
    const probes = [databaseProbe(kernel.database), migrationsProbe(kernel.database), wakeUpsProbe(kernel.wakeUps)];
    probes.push(configProbe(kernel.config, kernel.live));
    if (kernel.redis) probes.push(redisProbe(kernel.redis));
    const providers = [
      { provide: SETTINGS, useValue: settings },
      { provide: LiveSettings, useValue: kernel.live },
      { provide: ConfigStore, useValue: kernel.configStore },
      { provide: ConfigSync, useValue: kernel.config },
      { provide: Database, useValue: kernel.database },
      { provide: Engine, useValue: kernel.engine },
      { provide: EventLog, useValue: kernel.eventLog },
      { provide: EventWatch, useValue: new EventWatch(kernel.eventLog) },
      { provide: WakeUps, useValue: kernel.wakeUps },
      { provide: Leader, useValue: kernel.leader },
      { provide: LogStorage, useValue: kernel.logs },
      { provide: Redactor, useValue: kernel.logger.redactor },
      { provide: REDIS, useFactory: () => kernel.redis },
      { provide: REPLICA_ID, useValue: kernel.replicaId },
      { provide: HandlerRegistry, useValue: kernel.handlers },
      { provide: ReplicaStatus, useValue: kernel.status },
      { provide: Tracing, useValue: new Tracing(() => requestContext()?.trace, kernel.spans) },
      RequestObservers,
      { provide: RequestObserver, useExisting: RequestObservers },
      { provide: HEALTH_PROBES, useValue: probes },
      Lifecycle,
      Connections,
      EventStreams,
    ];
    return { module: KernelModule, global: true, providers, exports: providers };
  }
}
