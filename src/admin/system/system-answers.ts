import type { RedisAbout } from '../../events/redis-bus.js';
import type { ReplicaRow } from '../../config/config.store.js';
import type { PoolUse } from '../../database/database.js';
import type { Dependency } from '../../health/health.service.js';
import type { LogStorageState } from '../logs/log-storage.js';
import type { DatabaseRow, MigrationRow, TableRow } from './system.store.js';

/** What doors answer. Sizes are bytes. */

export interface ProcessAnswer {
  pid: number;
  started_at: string;
  uptime_seconds: number;
  /** Since its start. */
  cpu_seconds: number;
  resident_bytes: number;
  heap_used_bytes: number;
  heap_total_bytes: number;
  sockets: number;
  streams: number;
  slots: number;
  running: number;
}

export interface HostAnswer {
  name: string;
  platform: string;
  release: string;
  arch: string;
  cpus: number;
  load: number[];
  memory_total_bytes: number;
  memory_free_bytes: number;
  disk_total_bytes: number | null;
  disk_free_bytes: number | null;
  uptime_seconds: number;
}

export interface DatabaseAnswer extends DatabaseRow {
  embedded: boolean;
  tables: TableRow[];
}

export interface RedisAnswer extends RedisAbout {
  connected: boolean;
}

export interface MigrationsAnswer {
  /** The last one that this build knows. */
  known: number;
  applied: number;
  items: MigrationRow[];
}

export interface ReplicaAnswer extends ReplicaRow {
  role: 'leader' | 'follower';
}

export interface PoolAnswer extends PoolUse {
  name: string;
}

export interface HandlerAnswer {
  type: string;
  description: string;
}

export interface SystemAnswer {
  at: string;
  /** The replica that answers; process, host, pools, handlers and logs are of it. */
  replica_id: string;
  version: string;
  node_version: string;
  process: ProcessAnswer;
  host: HostAnswer;
  database: DatabaseAnswer;
  redis: RedisAnswer | null;
  migrations: MigrationsAnswer;
  replicas: ReplicaAnswer[];
  /** Null while there is none. */
  leader: string | null;
  pools: PoolAnswer[];
  handlers: HandlerAnswer[];
  logs: LogStorageState;
}

export interface HealthAnswer {
  at: string;
  replica_id: string;
  /** The worst of all. */
  status: Dependency['status'];
  dependencies: Dependency[];
}
