import { setTimeout as wait } from 'node:timers/promises';
import type { Fault } from './faults.js';

const replica = (world: Parameters<Fault['inject']>[0], index: number) => world.replicas[index]!;

export const replicaFaults: Fault[] = [
  {
    kind: 'replica killed (SIGKILL)',
    target: 'process',
    async inject(world, random, index) {
      await replica(world, index).kill();
      await wait(random.between(0, 1_000));
      await replica(world, index).start();
    },
  },
  {
    kind: 'replica frozen past its lease (SIGSTOP)',
    target: 'process',
    async inject(world, random, index) {
      await replica(world, index).freeze(world.leaseSeconds * random.between(2, 5) * 1_000);
    },
  },
  {
    kind: 'replica stopped under load (SIGTERM)',
    target: 'process',
    async inject(world, _random, index) {
      await replica(world, index).stop();
      await replica(world, index).start();
    },
  },
];

/** Needs Debian's libfaketime. The replica keeps the false clock until it is started again for another reason. */
export const clockFault: Fault = {
  kind: 'clock of a replica wrong by up to a minute',
  target: 'process',
  async inject(world, random, index) {
    await replica(world, index).stop();
    const skewSeconds = random.pick([-1, 1]) * random.whole(5, 60);
    await replica(world, index).start(skewSeconds);
    await seeItWrong(replica(world, index).url, skewSeconds);
  },
};

/** A fault that does nothing would prove nothing. Silent where another fault keeps the replica from answering. */
async function seeItWrong(url: string | undefined, skewSeconds: number): Promise<void> {
  const answer = await fetch(`${url}/health/live`, { signal: AbortSignal.timeout(patienceMs) }).catch(() => undefined);
  const date = answer?.headers.get('date');
  if (!date) return;
  const seen = (Date.parse(date) - Date.now()) / 1_000;
  if (Math.abs(seen - skewSeconds) > toleranceSeconds) {
    throw new Error(`The clock should be ${skewSeconds} s wrong, but the replica says ${date}: libfaketime has no effect.`);
  }
}

const patienceMs = 3_000;
const toleranceSeconds = 4;
