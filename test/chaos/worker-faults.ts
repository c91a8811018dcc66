import { setTimeout as wait } from 'node:timers/promises';
import type { Fault } from './faults.js';

export const workerFaults: Fault[] = [
  {
    kind: 'worker killed (SIGKILL)',
    target: 'worker',
    async inject({ workers }, random) {
      const worker = random.pick(workers);
      await worker.end('SIGKILL');
      await wait(random.between(0, 4_000));
      worker.start();
    },
  },
  {
    kind: 'worker stopped under load (SIGTERM)',
    target: 'worker',
    async inject({ workers }, random) {
      const worker = random.pick(workers);
      await worker.end('SIGTERM');
      worker.start();
    },
  },
  {
    kind: 'worker frozen past its lease (SIGSTOP)',
    target: 'worker',
    inject: ({ workers, leaseSeconds }, random) => random.pick(workers).freeze(leaseSeconds * random.between(1.5, 4) * 1_000),
  },
  { kind: 'stream of a worker reset', target: 'worker', inject: async ({ workers }, random) => random.pick(workers).proxy.reset() },
  {
    kind: 'worker cut off',
    target: 'worker',
    inject: ({ workers }, random) => random.pick(workers).proxy.partition(random.between(500, 8_000)),
  },
  {
    kind: 'stream of a worker slow',
    target: 'worker',
    inject: ({ workers }, random) => random.pick(workers).proxy.slow(random.between(20, 500), random.between(1_000, 6_000)),
  },
  {
    kind: 'stream of a worker stalled',
    target: 'worker',
    inject: ({ workers }, random) => random.pick(workers).proxy.stall(random.between(500, 7_000)),
  },
  {
    kind: 'stream of a worker half-open for good',
    target: 'worker',
    inject: async ({ workers }, random) => random.pick(workers).proxy.forget(),
  },
  {
    kind: 'answers to a worker lost',
    target: 'worker',
    inject: ({ workers }, random) => random.pick(workers).proxy.loseAnswers(random.between(20, 1_500)),
  },
];
