import { setTimeout as wait } from 'node:timers/promises';
import type { Deck, Fault, Target } from './faults.js';
import type { Random } from './random.js';
import type { World } from './world.js';

/** There is one of these for all replicas; of the remote workers one at a time is enough. */
const shared: Target[] = ['database', 'Redis', 'worker'];
const gapMs = [300, 2_500] as const;

/** Injects faults until the deadline, each hand one after the other; every fault heals itself before this resolves. */
export class Nemesis {
  readonly injected = new Map<string, number>();
  private readonly world: World;
  private readonly random: Random;
  private readonly deck: Deck;
  private readonly busy = new Set<string>();
  private pile: Fault[] = [];

  constructor(world: World, random: Random, deck: Deck) {
    this.world = world;
    this.random = random;
    this.deck = deck;
  }

  async run(ms: number): Promise<void> {
    const deadline = Date.now() + ms;
    const work = Array.from({ length: this.deck.hands }, async () => {
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
    const where = shared.includes(fault.target) ? fault.target : `${fault.target} of ${this.world.replicas[index]!.name}`;
    if (this.busy.has(where)) {
      this.pile.unshift(fault);
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
    if (!this.pile.length) this.pile = this.random.shuffled(this.deck.faults);
    return this.pile.pop()!;
  }
}
