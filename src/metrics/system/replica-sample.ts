import type { LatencyView } from './request-latency.js';
import type { SystemHealth } from './system-sampler.js';

/** What one replica knows of itself, every few seconds. */
export interface ReplicaSample {
  system_health: SystemHealth;
  websocket_connections: number;
  grpc_streams: number;
  response_latency: LatencyView;
  database: {
    /** Seconds that a small write took, with its way there and back; null when it did not succeed, or before the first. */
    latency: number | null;
    /** Callers that wait for a connection. */
    waiting: number;
  };
  /** Null without REDIS_URL. */
  redis_up: boolean | null;
}
