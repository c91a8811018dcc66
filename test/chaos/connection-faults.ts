import type { Fault } from './faults.js';

/** Between one replica and its database. */
export const connectionFaults: Fault[] = [
  {
    kind: 'connections reset',
    target: 'connections',
    async inject({ proxies }, _random, index) {
      proxies[index]!.reset();
    },
  },
  {
    kind: 'replica cut off from PostgreSQL',
    target: 'connections',
    inject: ({ proxies }, random, index) => proxies[index]!.partition(random.between(500, 6_000)),
  },
  {
    kind: 'connections slow',
    target: 'connections',
    inject: ({ proxies }, random, index) => proxies[index]!.slow(random.between(20, 400), random.between(1_000, 6_000)),
  },
  {
    kind: 'connections stalled',
    target: 'connections',
    inject: ({ proxies }, random, index) => proxies[index]!.stall(random.between(500, 7_000)),
  },
  {
    kind: 'connections half-open for good',
    target: 'connections',
    async inject({ proxies }, _random, index) {
      proxies[index]!.forget();
    },
  },
  {
    kind: 'answers of PostgreSQL lost',
    target: 'connections',
    inject: ({ proxies }, random, index) => proxies[index]!.loseAnswers(random.between(20, 1_500)),
  },
];
