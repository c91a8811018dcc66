import { setTimeout as wait } from 'node:timers/promises';
import type { Fault } from './faults.js';

/** Of the Redis between the replicas, and of their ways to it. */
export const redisFaults: Fault[] = [
  {
    kind: 'Redis killed (SIGKILL)',
    target: 'Redis',
    async inject({ redis }, random) {
      await redis!.server.kill();
      await wait(random.between(0, 4_000));
      await redis!.server.start();
    },
  },
  {
    kind: 'Redis frozen (SIGSTOP)',
    target: 'Redis',
    async inject({ redis }, random) {
      const { pid } = redis!.server;
      process.kill(pid, 'SIGSTOP');
      await wait(random.between(500, 8_000));
      process.kill(pid, 'SIGCONT');
    },
  },
  {
    kind: 'connections to Redis reset',
    target: 'connections to Redis',
    async inject({ redis }, _random, index) {
      redis!.proxies[index]!.reset();
    },
  },
  {
    kind: 'replica cut off from Redis',
    target: 'connections to Redis',
    inject: ({ redis }, random, index) => redis!.proxies[index]!.partition(random.between(500, 5_000)),
  },
  {
    kind: 'connections to Redis slow',
    target: 'connections to Redis',
    inject: ({ redis }, random, index) => redis!.proxies[index]!.slow(random.between(20, 700), random.between(1_000, 5_000)),
  },
  {
    kind: 'connections to Redis stalled',
    target: 'connections to Redis',
    inject: ({ redis }, random, index) => redis!.proxies[index]!.stall(random.between(500, 7_000)),
  },
  {
    kind: 'connections to Redis half-open for good',
    target: 'connections to Redis',
    async inject({ redis }, _random, index) {
      redis!.proxies[index]!.forget();
    },
  },
  {
    kind: 'answers of Redis lost',
    target: 'connections to Redis',
    inject: ({ redis }, random, index) => redis!.proxies[index]!.loseAnswers(random.between(20, 3_000)),
  },
];
