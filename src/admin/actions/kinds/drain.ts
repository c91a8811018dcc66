import { Inject, Injectable } from '@nestjs/common';
import { Engine } from '../../../engine/engine.js';
import { WakeUps } from '../../../events/wake-ups.js';
import { Lifecycle } from '../../../health/lifecycle.js';
import { Runner } from '../../../runner/runner.js';
import { SETTINGS, type Settings } from '../../../settings.js';
import { WorkerPool } from '../../../workers/worker-pool.js';
import { action, type Action, type Outcome, type RunContext } from '../action.js';
import { ReplicaDto } from '../parameters.dto.js';

const lookMs = 200;

/** Takes a replica out of work, and back. */
@Injectable()
export class DrainActions {
  /** Ends a drain that is under way. */
  private draining: AbortController | undefined;

  constructor(
    private readonly engine: Engine,
    private readonly runner: Runner,
    private readonly workers: WorkerPool,
    private readonly lifecycle: Lifecycle,
    private readonly wakeUps: WakeUps,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  readonly actions: Action[] = [
    action({
      name: 'drain_replica',
      description:
        'The replica begins no task any more and is not ready (`draining`); its workers go to other replicas. What runs may end for ENGINE_SHUTDOWN_SECONDS; ' +
        'then it is handed back to its queue, or goes along with its worker. The other doors of the replica stay open. Until resume_replica, or its next start.',
      danger: 'disruptive',
      role: 'admin',
      parameters: ReplicaDto,
      scope: 'one',
      job: true,
      run: (_parameters, context) => this.drain(context),
    }),
    action({
      name: 'resume_replica',
      description: 'Ends drain_replica, also one that is under way: the replica is ready, begins tasks and takes workers again.',
      danger: 'safe',
      role: 'admin',
      parameters: ReplicaDto,
      scope: 'one',
      job: false,
      run: async () => this.resume(),
    }),
  ];

  private get running(): number {
    return this.runner.load.running + this.workers.running;
  }

  private async drain({ signal, progress }: RunContext): Promise<Outcome> {
    this.draining?.abort();
    const own = (this.draining = new AbortController());
    const calledOff = AbortSignal.any([signal, own.signal]);
    if (this.lifecycle.state === 'ready') this.lifecycle.state = 'draining';
    this.engine.draining = true;
    const before = this.running;
    const look = () => progress(before === 0 ? 100 : (100 * (before - this.running)) / before, `${this.running} attempts still run here.`);
    look();
    const timer = setInterval(look, lookMs);
    try {
      const graceMs = this.settings.ENGINE_SHUTDOWN_SECONDS * 1_000;
      await Promise.all([this.runner.drain(graceMs, calledOff), this.workers.drain(graceMs, calledOff)]);
    } finally {
      clearInterval(timer);
    }
    return { result: { was_running: before, still_running: this.running, resumed: own.signal.aborted } };
  }

  private async resume(): Promise<Outcome> {
    const was_draining = this.engine.draining;
    this.draining?.abort();
    this.draining = undefined;
    this.engine.draining = false;
    this.workers.resume();
    if (this.lifecycle.state === 'draining') this.lifecycle.state = 'ready';
    this.wakeUps.signal('queued');
    return { result: { was_draining } };
  }
}
