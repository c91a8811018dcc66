import { setTimeout as wait } from 'node:timers/promises';
import { redisConnectionFaults } from './connection-faults.js';
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
  ...redisConnectionFaults,
];
