import { setTimeout as wait } from 'node:timers/promises';
import type { Fault } from './faults.js';
import type { Random } from './random.js';
import type { World } from './world.js';

/** Two hands, so that faults overlap now and then. */
const hands = 2;
const gapMs = [300, 2_500] as const;

/** Injects faults until the deadline, each hand one after the other; every fault heals itself before this resolves. */
export class Nemesis {
  readonly injected = new Map<string, number>();
  private readonly world: World;
  private readonly random: Random;
  private readonly faults: readonly Fault[];
  private readonly busy = new Set<string>();
  private deck: Fault[] = [];

  constructor(world: World, random: Random, faults: readonly Fault[]) {
    this.world = world;
    this.random = random;
    this.faults = faults;
  }

  async run(ms: number): Promise<void> {
    const deadline = Date.now() + ms;
    const work = Array.from({ length: hands }, async () => {
      const random = this.random.fork();
      while (Date.now() < deadline) {
        await this.injectOne(random);
        await wait(Math.min(random.between(...gapMs), Math.max(0, deadline - Date.now())));
      }
    });
    await Promise.all(work);
  }

  private async injectOne(random: Random): Promise<void> {
    const fault = this.draw();
    const index = random.whole(0, this.world.replicas.length - 1);
    const where = fault.target === 'database' ? 'database' : `${fault.target} of ${this.world.replicas[index]!.name}`;
    if (this.busy.has(where)) {
      this.deck.unshift(fault);
      return;
    }
    this.busy.add(where);
    const { history } = this.world;
    history.add({ kind: 'fault', fault: fault.kind, target: where, phase: 'begins' });
    try {
      await fault.inject(this.world, random, index);
      this.injected.set(fault.kind, (this.injected.get(fault.kind) ?? 0) + 1);
    } catch (error) {
      // Asking a database that another fault has just stopped.
      if (!/ECONNREFUSED|ECONNRESET|terminat|starting up|shutting down/.test(String(error))) throw error;
    } finally {
      history.add({ kind: 'fault', fault: fault.kind, target: where, phase: 'is over' });
      this.busy.delete(where);
    }
  }

  /** From a shuffled deck: all kinds come up before one comes again. */
  private draw(): Fault {
    if (!this.deck.length) this.deck = this.random.shuffled(this.faults);
    return this.deck.pop()!;
  }
}
