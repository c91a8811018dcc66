import type { Leader } from '../leader.js';
import { Loop, type Duty } from './loop.js';

/** Has the leader see to the duties of a feature, for as long as the application runs: Nest calls these methods of a provider. */
export abstract class Keeper {
  private loops: Loop[] = [];

  constructor(
    protected readonly leader: Leader,
    protected readonly logger: { warn(message: string): void; error(message: string): void },
  ) {}

  /** A failure is a warning, as it is tried again. */
  protected keep(duties: Duty[]): void {
    this.loops = duties.map(
      (duty) => new Loop(duty, this.leader, (name, error) => this.logger.warn(`The ${name} failed; it is tried again: ${error.message}`)),
    );
  }

  onApplicationBootstrap(): void {
    for (const loop of this.loops) loop.start();
  }

  async onModuleDestroy(): Promise<void> {
    await Promise.all(this.loops.map((loop) => loop.stop()));
  }
}
