import { Inject, Injectable } from '@nestjs/common';
import type { Principal } from '../auth/principal.js';
import { invalid } from '../errors/coded-error.js';
import { labelsIn } from '../input/query.js';
import { WakeUps } from '../events/wake-ups.js';
import { REPLICA_ID } from '../workers/workers.tokens.js';
import { ClusterStore } from './cluster/cluster.store.js';
import { sumsOf } from './cluster/cluster-observer.js';
import { countAlerts, type ClusterSnapshot, type TenantSnapshot } from './cluster/snapshot.js';
import { TaskCounts } from './counts/task-counts.js';
import { noActivity, taskMetrics, type RecentActivity, type TaskMetrics } from './counts/task-metrics.js';
import { HistoryReader, type HistoryView } from './history/history-reader.js';
import { MetricsSampler } from './metrics-sampler.js';
import type { HistoryQueryDto } from './metrics.dto.js';
import type { ReplicaSample } from './system/replica-sample.js';
import { OwnSampler } from './system/own-sampler.js';

export interface TaskMetricsByLine extends TaskMetrics {
  by_queue: Record<string, TaskMetrics>;
  by_type: Record<string, TaskMetrics>;
}

export interface MetricsView {
  /** RFC 3339. */
  at: string;
  /** The replica that answers. */
  replica: string;
  system_health: ReplicaSample['system_health'];
  task_metrics: TaskMetricsByLine;
  websocket_connections: number;
  grpc_streams: number;
  response_latency: ReplicaSample['response_latency'];
  database: ReplicaSample['database'];
  redis_up: boolean | null;
  workers: TenantSnapshot['workers'];
  alerts: TenantSnapshot['alerts'];
  replicas: number;
}

const hourMs = 3_600_000;
const nobody = { connected: 0, draining: 0, gone: 0, slots: 0, in_flight: 0 };
const emptySnapshot: ClusterSnapshot = { tenants: {}, replicas: 1, websocket_connections: 0, grpc_streams: 0 };

/** The use cases of metrics, for all doors. */
@Injectable()
export class MetricsService {
  /** By tenant what was read after the latest look: once, for all who follow. */
  private readonly atLook = new Map<string, Promise<MetricsView>>();

  constructor(
    @Inject(REPLICA_ID) private readonly replicaId: string,
    private readonly counts: TaskCounts,
    private readonly cluster: ClusterStore,
    private readonly sampler: MetricsSampler,
    private readonly ownSampler: OwnSampler,
    private readonly history: HistoryReader,
    private readonly wakeUps: WakeUps,
  ) {
    // Before anybody who follows is woken by the same look.
    wakeUps.on('metrics', () => this.atLook.clear());
  }

  async get(caller: Principal): Promise<MetricsView> {
    const own = this.sampler.own ?? (await this.ownSampler.sample(null));
    const [task_metrics, snapshot] = await this.tasksAndSnapshot(caller);
    return {
      at: new Date().toISOString(),
      replica: this.replicaId,
      system_health: own.system_health,
      task_metrics,
      websocket_connections: snapshot.websocket_connections,
      grpc_streams: snapshot.grpc_streams,
      response_latency: own.response_latency,
      database: own.database,
      redis_up: own.redis_up,
      workers: snapshot.tenants[caller.tenant_id]?.workers ?? nobody,
      alerts: snapshot.tenants[caller.tenant_id]?.alerts ?? countAlerts([]),
      replicas: snapshot.replicas,
    };
  }

  /** Exact: whatever has been acknowledged before the call is counted. */
  async tasks(caller: Principal): Promise<TaskMetricsByLine> {
    return (await this.tasksAndSnapshot(caller))[0];
  }

  /** Now, and whenever the leader has looked again. Ends with `signal`. */
  async *follow(caller: Principal, signal: AbortSignal): AsyncGenerator<MetricsView> {
    let looks = 0;
    let read = () => this.get(caller);
    let wake: (() => void) | undefined;
    const turn = () => {
      looks += 1;
      wake?.();
    };
    const unsubscribe = this.wakeUps.on('metrics', turn);
    signal.addEventListener('abort', turn, { once: true });
    try {
      while (!signal.aborted) {
        // Looks that came while the client was slow are one.
        looks = 0;
        // Without a database there is nothing to tell; the next look comes when it is back.
        const metrics = await read().catch(() => undefined);
        read = () => this.getAtLook(caller);
        if (metrics) yield metrics;
        if (looks === 0 && !signal.aborted) await new Promise<void>((resolve) => (wake = resolve));
        wake = undefined;
      }
    } finally {
      unsubscribe();
      signal.removeEventListener('abort', turn);
    }
  }

  series(caller: Principal, query: HistoryQueryDto): Promise<HistoryView> {
    const to = query.to === undefined ? Date.now() : Date.parse(query.to);
    const from = query.from === undefined ? to - hourMs : Date.parse(query.from);
    if (from >= to) throw invalid([{ field: 'from', message: 'must be a time before `to`' }]);
    return this.history.read(caller.tenant_id, {
      metric: query.metric,
      labels: (query.label ?? []).map(labelsIn),
      from,
      to,
      step: query.step,
    });
  }

  /** Which metrics the history has, by name. */
  names(caller: Principal): Promise<string[]> {
    return this.history.names(caller.tenant_id);
  }

  private getAtLook(caller: Principal): Promise<MetricsView> {
    const known = this.atLook.get(caller.tenant_id);
    if (known) return known;
    const metrics = this.get(caller);
    this.atLook.set(caller.tenant_id, metrics);
    return metrics;
  }

  private async tasksAndSnapshot({ tenant_id }: Principal): Promise<[TaskMetricsByLine, ClusterSnapshot]> {
    await this.counts.fold();
    const [counts, snapshot = emptySnapshot] = await Promise.all([this.counts.read(), this.cluster.snapshot()]);
    const tenant = snapshot.tenants[tenant_id];
    const sums = sumsOf(counts.filter((count) => count.tenant_id === tenant_id));
    const waiting = tenant?.waiting ?? [];
    const oldest = (rows: { seconds: number }[]) => rows.reduce((most, { seconds }) => Math.max(most, seconds), 0);
    const metrics = (key: string, recent: RecentActivity | undefined, rows: { seconds: number }[]) => {
      const of = sums.get(`${tenant_id} ${key}`) ?? new Map<string, number>();
      // Nothing waits any more, whatever the last look saw.
      return taskMetrics(of, recent ?? noActivity, (of.get('queued') ?? 0) > 0 ? oldest(rows) : 0);
    };
    const by = (kind: 'queue' | 'type', recent: Record<string, RecentActivity> = {}) => {
      const prefix = `${tenant_id} ${kind} `;
      const names = [...sums.keys()].filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length));
      return Object.fromEntries(
        names.map((name) => [
          name,
          metrics(
            `${kind} ${name}`,
            recent[name],
            waiting.filter((row) => row[kind] === name),
          ),
        ]),
      );
    };
    const all = metrics('*', tenant?.recent, waiting);
    return [{ ...all, by_queue: by('queue', tenant?.by_queue), by_type: by('type', tenant?.by_type) }, snapshot];
  }
}
