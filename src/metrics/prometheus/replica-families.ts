import type { Database } from '../../database/database.js';
import type { ReplicaSample } from '../system/replica-sample.js';
import type { Family } from './family.js';
import type { ReplicaStatus } from './replica-status.js';

export interface ReplicaState {
  sample: ReplicaSample | undefined;
  version: string;
  pools: ReturnType<Database['pools']>;
  status: ReplicaStatus;
}

/** What is of this replica alone, read at the scrape. */
export function replicaFamilies({ sample, version, pools, status: { isLeader, runner, duties } }: ReplicaState): Family[] {
  const one = (name: string, help: string, value: number | null | undefined, labels: Record<string, string> = {}): Family => ({
    name,
    help,
    type: 'gauge',
    values: value === null || value === undefined ? [] : [{ labels, value }],
  });
  const many = (name: string, help: string, values: [Record<string, string>, number][]): Family => ({
    name,
    help,
    type: 'gauge',
    values: values.map(([labels, value]) => ({ labels, value })),
  });
  const system = sample?.system_health;
  return [
    one('arkitect_build_info', 'Version of the server; always 1.', 1, { version, node: process.version }),
    one('arkitect_leader', '1 on the replica that does the background duties, 0 on the others.', Number(isLeader)),
    one('arkitect_cpu_usage', 'Use of all cores of the machine, in per cent.', system?.cpu_usage),
    one('arkitect_memory_usage', 'Use of the memory that the process may use, in per cent.', system?.memory_usage),
    one('arkitect_disk_usage', 'Use of the file system of DATA_DIR, in per cent.', system?.disk_usage),
    one('arkitect_load1', 'Load average of the machine over a minute.', system?.load[0]),
    one('arkitect_event_loop_lag_seconds', 'How late timers ran (p99 of the last interval), in seconds.', system?.event_loop_lag),
    one('arkitect_database_latency_seconds', 'Time of a small write, in seconds.', sample?.database.latency),
    many(
      'arkitect_database_connections',
      'Connections to the database.',
      Object.entries(pools).flatMap(([pool, { idle, total }]): [Record<string, string>, number][] => [
        [{ pool, state: 'idle' }, idle],
        [{ pool, state: 'busy' }, total - idle],
      ]),
    ),
    many(
      'arkitect_database_pool_waiting',
      'Callers that wait for a connection to the database.',
      Object.entries(pools).map(([pool, { waiting }]) => [{ pool }, waiting]),
    ),
    one(
      'arkitect_redis_up',
      '1 while Redis can be used.',
      sample?.redis_up === undefined || sample.redis_up === null ? null : Number(sample.redis_up),
    ),
    one('arkitect_websocket_connections', 'Open Socket.IO connections of this replica.', sample?.websocket_connections),
    one('arkitect_grpc_streams', 'Open gRPC streams of this replica.', sample?.grpc_streams),
    many('arkitect_runner_slots', 'Slots in which this replica runs attempts.', [
      [{ state: 'busy' }, runner.running],
      [{ state: 'free' }, Math.max(0, runner.slots - runner.running)],
    ]),
    many(
      'arkitect_duty_last_success_timestamp_seconds',
      'When a background duty last succeeded on this replica; only the leader does them.',
      Object.entries(duties).flatMap(([duty, at]): [Record<string, string>, number][] =>
        at === undefined ? [] : [[{ duty }, at / 1_000]],
      ),
    ),
  ];
}
