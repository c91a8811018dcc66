import { ActivityWindow } from '../counts/activity-window.js';
import { noActivity, sumBy } from '../counts/task-metrics.js';
import type { TaskCount, TaskCounts } from '../counts/task-counts.js';
import type { Sample } from '../history/series.js';
import type { ClusterStore } from './cluster.store.js';
import {
  countAlerts,
  countWorkers,
  withoutWorker,
  type AlertRow,
  type ClusterSnapshot,
  type TenantSnapshot,
  type WaitingRow,
  type WorkerRow,
} from './snapshot.js';

const all = '*';
/** Failures of fewer tasks than this say little: no ratio is kept. */
const ratioFrom = 20;

/** The leader's part: looks at the whole cluster, and remembers the last minutes of it. */
export class ClusterObserver {
  private readonly totals = new ActivityWindow();
  private readonly lines = new ActivityWindow();
  /** As last counted. */
  private known: TaskCount[] = [];

  constructor(
    private readonly counts: TaskCounts,
    private readonly store: ClusterStore,
    /** Types that the server runs itself. */
    private readonly ownTypes: () => string[],
  ) {}

  /** Looks who is there and, where `changed` says that something may have happened since the last time, counts it. */
  async look(changed: boolean): Promise<{ snapshot: ClusterSnapshot; samples: Sample[] }> {
    if (changed) {
      await this.counts.fold();
      this.known = await this.counts.read();
    }
    const counts = this.known;
    const waitingTypes = new Set(counts.filter(({ name, value }) => name === 'queued' && value > 0).map(({ type }) => type));
    const waiting = waitingTypes.size ? await this.store.oldestWaiting([...waitingTypes]) : [];
    const { workers, replicas, alerts } = await this.store.present();
    const at = Date.now();
    const sums = sumsOf(counts);
    const lineSums = sumBy(counts, lineKey);
    this.totals.add(at, sums);
    this.lines.add(at, lineSums);
    const served = new Set(this.ownTypes());
    const tenants = new Set([...counts, ...workers, ...alerts].map(({ tenant_id }) => tenant_id));
    const snapshot: ClusterSnapshot = {
      tenants: Object.fromEntries(
        [...tenants].map((tenant) => [tenant, this.tenant(tenant, sums, at, { waiting, workers, alerts, served })]),
      ),
      replicas: replicas.length,
      websocket_connections: replicas.reduce((sum, sample) => sum + sample.websocket_connections, 0),
      grpc_streams: replicas.reduce((sum, sample) => sum + sample.grpc_streams, 0),
    };
    const samples = [...this.lineSamples(counts, lineSums, at), ...clusterSamples(snapshot)];
    return { snapshot, samples };
  }

  private tenant(
    tenant: string,
    sums: Map<string, Map<string, number>>,
    at: number,
    { waiting, workers, alerts, served }: { waiting: WaitingRow[]; workers: WorkerRow[]; alerts: AlertRow[]; served: ReadonlySet<string> },
  ): TenantSnapshot {
    const ofTenant = <T extends { tenant_id: string }>(rows: T[]) => rows.filter((row) => row.tenant_id === tenant);
    const activity = (key: string) => this.totals.activity(key, sums.get(key) ?? new Map(), at);
    const by = (kind: 'queue' | 'type') => {
      const prefix = `${tenant} ${kind} `;
      const keys = [...sums.keys()].filter((key) => key.startsWith(prefix));
      return Object.fromEntries(keys.map((key) => [key.slice(prefix.length), activity(key)]));
    };
    return {
      recent: sums.has(`${tenant} ${all}`) ? activity(`${tenant} ${all}`) : noActivity,
      by_queue: by('queue'),
      by_type: by('type'),
      workers: countWorkers(ofTenant(workers)),
      alerts: countAlerts(ofTenant(alerts)),
      without_worker: withoutWorker(ofTenant(waiting), ofTenant(workers), served),
      waiting: ofTenant(waiting).map(({ queue, type, seconds }) => ({ queue, type, seconds })),
    };
  }

  /** The series of each queue and type. */
  private lineSamples(counts: TaskCount[], sums: Map<string, Map<string, number>>, at: number): Sample[] {
    const lines = new Map(counts.map((count) => [lineKey(count), count]));
    return [...lines].flatMap(([key, { tenant_id, queue, type }]) => {
      const now = sums.get(key)!;
      const sample = (metric: string, value: number | null, labels: Record<string, string> = {}): Sample[] =>
        value === null ? [] : [{ tenant_id, metric, labels: { queue, type, ...labels }, value }];
      const total = (name: string) => now.get(name) ?? 0;
      const { throughput, wait_time, run_time, finished, failed } = this.lines.activity(key, now, at);
      const statuses = [...now].filter(([name]) => !name.includes('_'));
      return [
        ...statuses.flatMap(([status, value]) => sample('arkitect_tasks', Math.max(0, value), { status })),
        ...sample('arkitect_tasks_created_total', total('created_total')),
        ...['completed', 'failed', 'cancelled'].flatMap((status) =>
          sample('arkitect_tasks_finished_total', total(`${status}_total`), { status }),
        ),
        ...attemptOutcomes(now).flatMap(([outcome, value]) => sample('arkitect_task_attempts_total', value, { outcome })),
        ...sample('arkitect_leases_expired_total', total('lost_total')),
        ...sample('arkitect_task_throughput', throughput),
        ...sample('arkitect_task_failure_ratio', finished >= ratioFrom ? failed / finished : null),
        ...sample('arkitect_task_wait_seconds_p95', wait_time.p95),
        ...sample('arkitect_task_run_seconds_p95', run_time.p95),
      ];
    });
  }
}

/** How attempts ended, from the counts of one queue and type. */
export function attemptOutcomes(counts: ReadonlyMap<string, number>): [outcome: string, value: number][] {
  const of = (name: string) => counts.get(name) ?? 0;
  return [
    ['completed', of('completed_total')],
    ['failed', of('failed_total')],
    // Lost ones go back to their queues as well.
    ['retried', Math.max(0, of('retried_total') - of('lost_total'))],
    ['lost', of('lost_total')],
  ];
}

function clusterSamples({ tenants, replicas }: ClusterSnapshot): Sample[] {
  const ofTenants = Object.entries(tenants).flatMap(([tenant_id, { workers, alerts, waiting, without_worker }]) => [
    ...(['info', 'warning', 'critical'] as const).map((severity) => ({
      tenant_id,
      metric: 'arkitect_alerts',
      labels: { severity },
      value: alerts[severity],
    })),
    ...(['connected', 'draining', 'gone'] as const).map((state) => ({
      tenant_id,
      metric: 'arkitect_workers',
      labels: { state },
      value: workers[state],
    })),
    ...waiting.map(({ queue, type, seconds }) => ({
      tenant_id,
      metric: 'arkitect_tasks_oldest_waiting_seconds',
      labels: { queue, type },
      value: seconds,
    })),
    ...without_worker.map((labels) => ({ tenant_id, metric: 'arkitect_queue_without_worker', labels, value: 1 })),
  ]);
  return [...ofTenants, { tenant_id: '', metric: 'arkitect_replicas', labels: {}, value: replicas }];
}

/** By tenant, and by its queues and types. */
export function sumsOf(counts: TaskCount[]): Map<string, Map<string, number>> {
  return new Map([
    ...sumBy(counts, ({ tenant_id }) => `${tenant_id} ${all}`),
    ...sumBy(counts, ({ tenant_id, queue }) => `${tenant_id} queue ${queue}`),
    ...sumBy(counts, ({ tenant_id, type }) => `${tenant_id} type ${type}`),
  ]);
}

function lineKey({ tenant_id, queue, type }: Pick<TaskCount, 'tenant_id' | 'queue' | 'type'>): string {
  return `${tenant_id} ${queue} ${type}`;
}
