import { readFileSync } from 'node:fs';
import type { Clients } from './clients.js';
import type { Server } from './server.js';

/** What was seen at one moment, and of the tasks that ended since the one before. */
export interface Sample {
  /** Seconds since the load began. */
  at: number;
  perSecond: number;
  /** Milliseconds from create to end. */
  p50: number;
  p99: number;
  /** Creates that have not come to their end. */
  outstanding: number;
  /** Rows that wait for a runner. */
  queued: number;
  deadTasks: number;
  deadEvents: number;
  /** Autovacuums of both tables so far. */
  vacuums: number;
  /** Of the server process. */
  rssMegabytes: number;
}

interface Counters {
  queued: number;
  tasks: number;
  events: number;
  vacuums: number;
}

export async function takeSample(server: Server, clients: Clients, begun: number, before: Sample | undefined): Promise<Sample> {
  const [counters] = await server.query<Counters>(
    `SELECT (SELECT count(*)::int FROM tasks WHERE status = 'queued') AS queued,
            (sum(n_dead_tup) FILTER (WHERE relname = 'tasks'))::int AS tasks,
            (sum(n_dead_tup) FILTER (WHERE relname = 'events'))::int AS events,
            sum(autovacuum_count)::int AS vacuums
     FROM pg_stat_user_tables WHERE relname IN ('tasks', 'events')`,
  );
  const { queued, tasks, events, vacuums } = counters!;
  const at = (performance.now() - begun) / 1_000;
  const latencies = clients.takeLatencies();
  const share = (part: number) => latencies[Math.min(latencies.length - 1, Math.floor(part * latencies.length))] ?? Number.NaN;
  return {
    at,
    perSecond: latencies.length / (at - (before?.at ?? 0)),
    p50: share(0.5),
    p99: share(0.99),
    outstanding: clients.outstanding,
    queued,
    deadTasks: tasks,
    deadEvents: events,
    vacuums,
    rssMegabytes: residentMegabytes(server.processId),
  };
}

function residentMegabytes(processId: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${processId}/status`, 'utf8'))![1]) / 1_024;
}
