import type { RedisBus } from '../events/redis-bus.js';
import type { HealthProbe } from './health-probe.js';

/** Never down: without Redis everything goes on by the database. */
export function redisProbe(redis: RedisBus): HealthProbe {
  return {
    name: 'redis',
    check: async () =>
      redis.connected ? { status: 'up' } : { status: 'degraded', detail: 'Redis is away; events and wake-ups go by the database.' },
  };
}
