import type { RecentActivity } from '../counts/task-metrics.js';

/** What the leader last found of the whole cluster; kept in the database, so that every replica tells the same. */
export interface ClusterSnapshot {
  tenants: Record<string, TenantSnapshot>;
  replicas: number;
  websocket_connections: number;
  grpc_streams: number;
}

export interface TenantSnapshot {
  recent: RecentActivity;
  by_queue: Record<string, RecentActivity>;
  by_type: Record<string, RecentActivity>;
  workers: WorkerCounts;
  alerts: AlertCounts;
  /** Where tasks wait that nobody who is connected runs. */
  without_worker: { queue: string; type: string }[];
  waiting: { queue: string; type: string; seconds: number }[];
}

/** Of alerts that are not resolved, by severity and by state. */
export interface AlertCounts {
  info: number;
  warning: number;
  critical: number;
  open: number;
  acknowledged: number;
}

export interface AlertRow {
  tenant_id: string;
  severity: 'info' | 'warning' | 'critical';
  status: 'open' | 'acknowledged';
  count: number;
}

export function countAlerts(rows: AlertRow[]): AlertCounts {
  const counts: AlertCounts = { info: 0, warning: 0, critical: 0, open: 0, acknowledged: 0 };
  for (const { severity, status, count } of rows) {
    counts[severity] += count;
    counts[status] += count;
  }
  return counts;
}

export interface WorkerCounts {
  connected: number;
  draining: number;
  gone: number;
  slots: number;
  in_flight: number;
}

export interface WaitingRow {
  tenant_id: string;
  queue: string;
  type: string;
  /** Since it was queued. */
  seconds: number;
}

export interface WorkerRow {
  tenant_id: string;
  state: 'connected' | 'draining' | 'gone';
  types: string[];
  queues: string[];
  slots: number;
  in_flight: number;
}

export function countWorkers(workers: WorkerRow[]): WorkerCounts {
  const counts: WorkerCounts = { connected: 0, draining: 0, gone: 0, slots: 0, in_flight: 0 };
  for (const { state, slots, in_flight } of workers) {
    counts[state] += 1;
    if (state === 'gone') continue;
    counts.slots += slots;
    counts.in_flight += in_flight;
  }
  return counts;
}

/** `ownTypes`: what replicas run themselves, as long as any of them has slots. */
export function withoutWorker(
  waiting: WaitingRow[],
  workers: WorkerRow[],
  ownTypes: ReadonlySet<string>,
): { queue: string; type: string }[] {
  const isServed = ({ queue, type }: WaitingRow) =>
    ownTypes.has(type) ||
    workers.some(({ state, types, queues }) => state === 'connected' && types.includes(type) && (!queues.length || queues.includes(queue)));
  return waiting.filter((row) => !isServed(row)).map(({ queue, type }) => ({ queue, type }));
}
