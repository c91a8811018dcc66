import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { InjectMetric, makeCounterProvider, makeHistogramProvider } from '@willsoto/nestjs-prometheus';
import { collectDefaultMetrics, Registry, type Counter, type Histogram, type Metric } from 'prom-client';
import { Database, type QueryObserver } from '../../database/database.js';
import { Engine } from '../../engine/engine.js';
import { SETTINGS, type Settings } from '../../settings.js';
import { serverVersion } from '../../version.js';
import { ClusterStore } from '../cluster/cluster.store.js';
import { TaskCounts } from '../counts/task-counts.js';
import { MetricsSampler } from '../metrics-sampler.js';
import type { Exposition } from './accept.js';
import { clusterFamilies } from './cluster-families.js';
import type { Family, Source } from './family.js';
import { replicaFamilies } from './replica-families.js';
import { ReplicaStatus } from './replica-status.js';
import { RequestMetrics } from './request-metrics.js';
import { lagResolutionMs } from '../system/system-sampler.js';

const query = 'arkitect_database_query_duration_seconds';
const queryErrors = 'arkitect_database_errors_total';
const batchSize = 'arkitect_engine_batch_size';

export const engineMetrics = [
  makeHistogramProvider({
    name: query,
    help: 'Time of a statement with its way there and back, in seconds, by the name that the code gives it.',
    labelNames: ['statement'],
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
    registers: [],
  }),
  makeCounterProvider({
    name: queryErrors,
    help: 'Statements that failed, by SQLSTATE or error code.',
    labelNames: ['code'],
    registers: [],
  }),
  makeHistogramProvider({
    name: batchSize,
    help: 'Tasks that one statement of the engine moved, by transition.',
    labelNames: ['transition'],
    buckets: [1, 2, 5, 10, 25, 50, 100, 250, 500],
    registers: [],
  }),
];

let ofProcess: Registry | undefined;

/** Node's own metrics. One set for all servers of the process: what collects them cannot be stopped. */
function processRegistry(): Registry {
  if (ofProcess) return ofProcess;
  ofProcess = new Registry();
  collectDefaultMetrics({ register: ofProcess, eventLoopMonitoringPrecision: lagResolutionMs });
  // Gauges with the names of counters; the same numbers are there by type, under proper names.
  for (const what of ['handles', 'requests', 'resources']) ofProcess.removeSingleMetric(`nodejs_active_${what}_total`);
  return ofProcess;
}

/** Everything that this server tells Prometheus, in a registry of its own: a process may hold several servers. */
@Injectable()
export class ExpositionService implements OnModuleDestroy {
  private readonly own = new Registry();
  /** Of the whole process; without metrics there is none. */
  private readonly process: Registry | undefined;
  private readonly shownLines = new Set<string>();

  constructor(
    @Inject(SETTINGS) settings: Settings,
    private readonly requests: RequestMetrics,
    private readonly counts: TaskCounts,
    private readonly cluster: ClusterStore,
    private readonly sampler: MetricsSampler,
    private readonly status: ReplicaStatus,
    private readonly database: Database,
    private readonly engine: Engine,
    @InjectMetric(query) queries: Histogram,
    @InjectMetric(queryErrors) errors: Counter,
    @InjectMetric(batchSize) batches: Histogram,
  ) {
    for (const metric of [queries, errors, batches] as Metric[]) this.own.registerMetric(metric);
    if (settings.METRICS_ENABLED === 'false') return;
    this.process = processRegistry();
    const observer: QueryObserver = {
      done: (statement, seconds) => queries.observe({ statement }, seconds),
      failed: (code) => errors.inc({ code }),
    };
    database.observer = observer;
    engine.observer = (transition, tasks) => batches.observe({ transition }, tasks);
  }

  onModuleDestroy(): void {
    this.database.observer = undefined;
    this.engine.observer = undefined;
  }

  async render(format: Exposition): Promise<{ type: string; body: string }> {
    const [counts, snapshot] = await this.readCluster();
    const replica = replicaFamilies({
      sample: this.sampler.own,
      version: serverVersion,
      pools: this.database.pools(),
      status: this.status,
    });
    const sources = [
      ...Object.values(this.requests.timings),
      ...([this.own, this.process].flatMap((registry) => registry?.getMetricsAsArray() ?? []) as unknown as Source[]),
    ];
    const own = await Promise.all(sources.map((source) => source.get()));
    const registry = new Registry();
    if (format === 'openmetrics') registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as never);
    for (const family of [...own, ...replica, ...clusterFamilies(counts, snapshot, this.shownLines)])
      registry.registerMetric(asMetric(family, format));
    return { type: registry.contentType, body: await registry.metrics() };
  }

  /** A scrape must not fail because the database is away: what is of this replica is wanted all the more. */
  private async readCluster(): Promise<[Awaited<ReturnType<TaskCounts['read']>>, Awaited<ReturnType<ClusterStore['snapshot']>>]> {
    try {
      return await Promise.all([this.counts.read(), this.cluster.snapshot()]);
    } catch {
      return [[], undefined];
    }
  }
}

/** All that a registry asks of a metric. OpenMetrics names a counter without its suffix, which prom-client then adds. */
function asMetric(family: Family, format: Exposition): Metric {
  const name = format === 'openmetrics' && family.type === 'counter' ? family.name.replace(/_total$/, '') : family.name;
  return { name: family.name, type: family.type, get: async () => ({ ...family, name }) } as unknown as Metric;
}
