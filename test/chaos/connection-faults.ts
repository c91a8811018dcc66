import type { Fault, Target } from './faults.js';
import type { Proxy } from './proxy.js';
import type { World } from './world.js';

/** The way of each replica to one server, and how much of each fault it takes; milliseconds. */
interface Way {
  target: Target;
  /** In the order in which a seed draws them: reset, cut off, slow, stalled, half-open for good, answers lost. */
  kinds: [string, string, string, string, string, string];
  proxies(world: World): Proxy[];
  longest: { cut: number; delay: number; slow: number; lost: number };
}

function faultsOf({ target, kinds, proxies, longest }: Way): Fault[] {
  const [reset, cut, slow, stalled, halfOpen, lost] = kinds;
  const of = (world: World, index: number) => proxies(world)[index]!;
  return [
    { kind: reset, target, inject: async (world, _random, index) => of(world, index).reset() },
    { kind: cut, target, inject: (world, random, index) => of(world, index).partition(random.between(500, longest.cut)) },
    {
      kind: slow,
      target,
      inject: (world, random, index) => of(world, index).slow(random.between(20, longest.delay), random.between(1_000, longest.slow)),
    },
    { kind: stalled, target, inject: (world, random, index) => of(world, index).stall(random.between(500, 7_000)) },
    { kind: halfOpen, target, inject: async (world, _random, index) => of(world, index).forget() },
    { kind: lost, target, inject: (world, random, index) => of(world, index).loseAnswers(random.between(20, longest.lost)) },
  ];
}

/** Between one replica and its database. */
export const connectionFaults = faultsOf({
  target: 'connections',
  kinds: [
    'connections reset',
    'replica cut off from PostgreSQL',
    'connections slow',
    'connections stalled',
    'connections half-open for good',
    'answers of PostgreSQL lost',
  ],
  proxies: ({ proxies }) => proxies,
  longest: { cut: 6_000, delay: 400, slow: 6_000, lost: 1_500 },
});

/** Between one replica and Redis. */
export const redisConnectionFaults = faultsOf({
  target: 'connections to Redis',
  kinds: [
    'connections to Redis reset',
    'replica cut off from Redis',
    'connections to Redis slow',
    'connections to Redis stalled',
    'connections to Redis half-open for good',
    'answers of Redis lost',
  ],
  proxies: ({ redis }) => redis!.proxies,
  longest: { cut: 5_000, delay: 700, slow: 5_000, lost: 3_000 },
});
