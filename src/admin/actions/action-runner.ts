import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import type { Principal } from '../../auth/principal.js';
import { ConfigSync } from '../../config/config-sync.js';
import { isTransient } from '../../database/database-errors.js';
import { CodedError } from '../../errors/coded-error.js';
import { WakeUps } from '../../events/wake-ups.js';
import type { JsonObject } from '../../tasks/task.js';
import { REPLICA_ID } from '../../workers/workers.tokens.js';
import type { Action, Outcome, Run, RunContext } from './action.js';
import { ActionFiles } from './action-files.js';
import { ActionRegistry } from './action-registry.js';
import { toRunError } from './actions.errors.js';
import { ActionsStore, type TakenRun } from './actions.store.js';

/** Progress is written at most so often. */
const progressMs = 500;
/** What does not heed its signal when the replica stops is not waited for longer. */
const stopMs = 3_000;
const retryMs = 1_000;
/** What was begun that long ago, and is not at work here, is nobody's. */
const lostAfterSeconds = 30;

export interface Ended {
  run: Run;
  /** For the caller alone. */
  once: JsonObject | null;
  error?: unknown;
}

/** Runs actions on this replica: those that it was asked for itself, and those that others have left for it. */
@Injectable()
export class ActionRunner implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('Actions');
  private readonly stopping = new AbortController();
  private readonly running = new Map<string, Promise<unknown>>();
  private readonly unsubscribe: (() => void)[] = [];

  constructor(
    private readonly registry: ActionRegistry,
    private readonly store: ActionsStore,
    private readonly files: ActionFiles,
    private readonly wakeUps: WakeUps,
    private readonly config: ConfigSync,
    @Inject(REPLICA_ID) private readonly replicaId: string,
  ) {}

  onApplicationBootstrap(): void {
    const onBeat = ({ open_actions }: { open_actions: number }) => {
      if (open_actions <= this.running.size) return;
      this.takeWaiting();
      this.failLost();
    };
    this.config.onBeat.add(onBeat);
    this.unsubscribe.push(
      this.wakeUps.on('admin_actions', () => this.takeWaiting()),
      () => this.config.onBeat.delete(onBeat),
    );
  }

  async beforeApplicationShutdown(): Promise<void> {
    for (const unsubscribe of this.unsubscribe) unsubscribe();
    this.stopping.abort();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((resolve) => (timer = setTimeout(resolve, stopMs)));
    await Promise.race([Promise.allSettled(this.running.values()), late]);
    clearTimeout(timer);
    const stopped = { code: 'UNAVAILABLE', message: `The replica ${this.replicaId} was stopped before it was done. Run the action again.` };
    await Promise.allSettled([...this.running.keys()].map((id) => this.store.finish(id, 'failed', null, stopped)));
  }

  /** Resolves when it has ended, one way or the other. Of what is `awaited`, whoever waits sees to its error. */
  execute(run: Run | TakenRun, caller?: Principal, awaited = false): Promise<Ended> {
    const ending = this.toEnd(run, awaited, caller ?? { tenant_id: 'default', role: 'admin', name: run.created_by })
      // Only when its end cannot be stored; the next sign of life finds it.
      .catch((error: Error) => {
        this.logger.warn(`The end of the run ${run.id} of ${run.action} was not stored: ${error.message}`);
        return { run, once: null, error };
      })
      .finally(() => this.running.delete(run.id));
    this.running.set(run.id, ending);
    return ending;
  }

  private takeWaiting(): void {
    this.store.take(this.replicaId).then(
      (runs) => {
        if (runs.length > 0) this.wakeUps.signal('events');
        for (const run of runs) void this.execute(run).then(() => this.wakeUps.signal('admin_actions'));
      },
      (error: Error) => this.logger.warn(`Actions that wait for this replica could not be read; it looks again: ${error.message}`),
    );
  }

  /** Ends what this replica is said to run, and does not: the database was away when it had to be told. */
  private failLost(): void {
    this.store.failLost(this.replicaId, [...this.running.keys()], lostAfterSeconds).then(
      (count) => count > 0 && this.wakeUps.signal('events', 'admin_actions'),
      (error: Error) => this.logger.warn(`Runs that nobody goes on with could not be ended; it is tried again: ${error.message}`),
    );
  }

  private async toEnd(run: Run | TakenRun, awaited: boolean, by: Principal): Promise<Ended> {
    const action = this.registry.find(run.action);
    const progress = this.progressOf(run.id);
    const context: RunContext = {
      id: run.id,
      by,
      signal: this.stopping.signal,
      progress: progress.tell,
      file: (name, chunks) => this.files.keep(run.id, name, chunks),
    };
    try {
      if (!action) throw new CodedError('NOT_FOUND', `This replica has no action ${run.action}; it runs another version of the server.`);
      const confirm = run.dry_run && action.confirm ? randomBytes(24).toString('base64url') : undefined;
      const { result, once } = run.dry_run ? await previewed(action, run, context) : await action.run(run.parameters, context);
      await progress.stop();
      const ended = await this.finish(run.id, 'completed', result, null, confirm === undefined ? undefined : digestOf(confirm));
      const shown = confirm === undefined ? (once ?? null) : { confirm, valid_seconds: confirmSeconds };
      return { run: await this.told(run, ended), once: shown };
    } catch (error) {
      await progress.stop();
      const foreseen = toRunError(error);
      if (!foreseen && !awaited) this.logger.error(error);
      const message = `It failed; the log of the replica ${this.replicaId} says why.`;
      const ended = await this.finish(run.id, 'failed', null, foreseen ?? { code: 'INTERNAL', message });
      return { run: await this.told(run, ended), once: null, error };
    }
  }

  /** A database that is away for a moment does not make a run one without an end. */
  private async finish(...end: Parameters<ActionsStore['finish']>): Promise<Run | undefined> {
    for (;;) {
      try {
        return await this.store.finish(...end);
      } catch (error) {
        if (this.stopping.signal.aborted || !isTransient(error as Error)) throw error;
        await sleep(retryMs, undefined, { signal: this.stopping.signal }).catch(() => undefined);
      }
    }
  }

  /** Never throws: what has been done is answered, whatever comes after it. */
  private async told(run: Run | TakenRun, ended: Run | undefined): Promise<Run> {
    try {
      if ('parent_id' in run && run.parent_id !== null) await this.store.settleParents();
      return ended ?? (await this.store.find(run.id)) ?? run;
    } catch (error) {
      // The leader does it by and by.
      this.logger.warn(`The end of the run ${run.id} was stored, and no more: ${(error as Error).message}`);
      return ended ?? run;
    } finally {
      this.wakeUps.signal('events');
    }
  }

  /** Writes the latest of what it is told, now and then. */
  private progressOf(id: string): { tell: RunContext['progress']; stop: () => Promise<void> } {
    let latest: [percent: number, message: string] | undefined;
    let timer: NodeJS.Timeout | undefined;
    let writing: Promise<void> = Promise.resolve();
    const write = () => {
      const [percent, message] = latest!;
      latest = undefined;
      writing = this.store.progress(id, Math.min(100, Math.max(0, percent)), message.slice(0, 500)).then(
        () => this.wakeUps.signal('events'),
        // The end is written all the same.
        (error: Error) => this.logger.warn(`The progress of an action was not stored: ${error.message}`),
      );
      timer = setTimeout(() => {
        timer = undefined;
        if (latest) write();
      }, progressMs);
    };
    return {
      tell: (percent, message) => {
        latest = [percent, message];
        if (!timer) write();
      },
      stop: async () => {
        clearTimeout(timer);
        await writing;
      },
    };
  }
}

/** So long may somebody think about a dry run before he confirms it. */
export const confirmSeconds = 600;

export function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

async function previewed(action: Action, { parameters }: Run, context: RunContext): Promise<Outcome> {
  return { result: await action.preview!(parameters, context) };
}
