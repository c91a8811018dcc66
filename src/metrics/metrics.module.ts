import { Module } from '@nestjs/common';
import { Database } from '../database/database.js';
import { EventLog } from '../events/event-log.js';
import { HandlerRegistry } from '../handlers/handlers.js';
import { SETTINGS, type Settings } from '../settings.js';
import { ClusterObserver } from './cluster/cluster-observer.js';
import { ClusterStore } from './cluster/cluster.store.js';
import { TaskCounts } from './counts/task-counts.js';
import { HistoryReader } from './history/history-reader.js';
import { HistoryStore } from './history/history.store.js';
import { PointsStore } from './history/points.store.js';
import { MetricsFeed } from './metrics-feed.js';
import { MetricsSampler } from './metrics-sampler.js';
import { MetricsController } from './metrics.controller.js';
import { MetricsGateway } from './metrics.gateway.js';
import { MetricsGrpc } from './metrics.grpc.js';
import { MetricsService } from './metrics.service.js';
import { ExpositionController } from './prometheus/exposition.controller.js';
import { engineMetrics, ExpositionService } from './prometheus/exposition.service.js';
import { RequestMetrics } from './prometheus/request-metrics.js';
import { OwnSampler } from './system/own-sampler.js';
import { RequestLatency } from './system/request-latency.js';

@Module({
  controllers: [ExpositionController, MetricsController, MetricsGrpc],
  providers: [
    MetricsGateway,
    MetricsService,
    MetricsFeed,
    ...engineMetrics,
    RequestMetrics,
    ExpositionService,
    MetricsSampler,
    OwnSampler,
    RequestLatency,
    HistoryReader,
    { provide: HistoryStore, useFactory: (database: Database) => new HistoryStore(database), inject: [Database] },
    { provide: PointsStore, useFactory: (database: Database) => new PointsStore(database.loops), inject: [Database] },
    { provide: ClusterStore, useFactory: (database: Database) => new ClusterStore(database), inject: [Database] },
    {
      provide: TaskCounts,
      useFactory: (database: Database, eventLog: EventLog) => new TaskCounts(database, eventLog),
      inject: [Database, EventLog],
    },
    {
      provide: ClusterObserver,
      useFactory: (counts: TaskCounts, store: ClusterStore, handlers: HandlerRegistry, settings: Settings) =>
        new ClusterObserver(counts, store, () => (settings.RUNNER_SLOTS > 0 ? handlers.types() : [])),
      inject: [TaskCounts, ClusterStore, HandlerRegistry, SETTINGS],
    },
  ],
  exports: [HistoryStore, PointsStore],
})
export class MetricsModule {}
