import { Inject, Injectable } from '@nestjs/common';
import { Database } from '../../database/database.js';
import { HEALTH_PROBES, type HealthProbe } from '../../health/health-probe.js';
import { SETTINGS, type Settings } from '../../settings.js';
import { Connections } from '../../transport/connections.js';
import type { ReplicaSample } from './replica-sample.js';
import { RequestLatency } from './request-latency.js';
import { SystemSampler } from './system-sampler.js';

/** Takes the samples of this replica. */
@Injectable()
export class OwnSampler {
  private readonly system: SystemSampler;

  constructor(
    @Inject(SETTINGS) settings: Settings,
    @Inject(HEALTH_PROBES) private readonly probes: HealthProbe[],
    private readonly database: Database,
    private readonly connections: Connections,
    private readonly latency: RequestLatency,
  ) {
    this.system = new SystemSampler(settings.DATA_DIR);
  }

  stop(): void {
    this.system.stop();
  }

  /** `latency`: of the database, in seconds, as last seen; null when it is not known. */
  async sample(latency: number | null): Promise<ReplicaSample> {
    const redis = this.probes.find(({ name }) => name === 'redis');
    return {
      system_health: await this.system.sample(),
      websocket_connections: this.connections.sockets(),
      grpc_streams: this.connections.streams(),
      response_latency: this.latency.take(),
      database: {
        latency,
        waiting: Object.values(this.database.pools()).reduce((sum, { waiting }) => sum + waiting, 0),
      },
      redis_up: redis ? (await redis.check()).status === 'up' : null,
    };
  }
}
