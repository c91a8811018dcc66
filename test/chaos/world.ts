import type { History } from './history.js';
import type { Postgres } from './postgres.js';
import type { Proxy } from './proxy.js';
import type { Query } from './query.js';
import type { SharedRedis } from './shared-redis.js';
import type { RemoteWorker } from './remote-worker.js';
import type { Replica } from './replica.js';

/** All that a run has started: what clients talk to, and what faults are done to. */
export interface World {
  history: History;
  replicas: Replica[];
  /** Between each replica and the database, by the replica's index; none with the embedded database. */
  proxies: Proxy[];
  /** A server of our own; undefined with the embedded database. */
  postgres: Postgres | undefined;
  /** Between the replicas, where that was asked for. */
  redis: SharedRedis | undefined;
  /** Processes that run tasks of the type `remote`; none unless they were asked for. */
  workers: RemoteWorker[];
  /** Straight to the database, past all faults of connections. */
  query: Query;
  leaseSeconds: number;
}

export const token = 'a-token-of-the-chaos-runs-0123456789';

export const slots = 48;

/** What every replica gets. Leases as short as they may be, and more rescues than a run can need. */
export const engineSettings = {
  HOST: '127.0.0.1',
  PORT: '0',
  LOG_LEVEL: 'warn',
  ADMIN_TOKEN: token,
  RUNNER_SLOTS: String(slots),
  ENGINE_LEASE_SECONDS: '2',
  ENGINE_CANCEL_GRACE_SECONDS: '2',
  ENGINE_SHUTDOWN_SECONDS: '1',
  ENGINE_MAX_RESCUES: '100',
};
