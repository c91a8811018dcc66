import { Injectable } from '@nestjs/common';
import { noteChange } from '../audit/note-change.js';
import type { Principal } from '../auth/principal.js';
import { isDataError } from '../database/database-errors.js';
import { Batcher } from '../engine/batcher.js';
import { Engine } from '../engine/engine.js';
import type { ClaimedTask, Lease } from '../engine/task-row.js';
import type { Completion } from '../engine/transitions/complete.js';
import { CodedError } from '../errors/coded-error.js';
import { WakeUps } from '../events/wake-ups.js';
import type { CompleteItem, FailItem, LineItem, ReportItem } from './worker-items.js';
import type { Assignment, BeatAck, SettledTask, WorkerProfile, WorkerView } from './worker.js';
import { WorkerPool } from './worker-pool.js';
import { toAssignment } from './worker-session.js';
import { leaseTimes, notStorable, resultProblem, toFailure, toLease, toLogLine, toProfile, toProgress } from './worker-messages.js';
import type { PollDto } from './workers.dto.js';
import { WorkersStore } from './workers.store.js';

/** The answer to a poll. */
export interface Polled {
  worker_id: string;
  /** A beat is due this often, in milliseconds, while something runs. */
  heartbeat_ms: number;
  /** Without a beat for so long, in milliseconds, the leases are gone. */
  lease_ms: number;
  tasks: Assignment[];
}

/** How often a poll looks by itself: wake-ups are hints. */
const pollMs = 5_000;
/** A worker that polls is entered into the list at most this often. */
const enterMs = 10_000;

/** The list of workers, and workers that have no stream: each call stands for itself, on any replica. */
@Injectable()
export class WorkersService {
  private readonly enteredAt = new Map<string, number>();
  private readonly completions = new Batcher((completions: Completion[]) => this.engine.complete(completions));

  constructor(
    private readonly engine: Engine,
    private readonly pool: WorkerPool,
    private readonly store: WorkersStore,
    private readonly wakeUps: WakeUps,
  ) {}

  async list({ tenant_id }: Principal): Promise<{ items: WorkerView[] }> {
    return { items: await this.store.list(tenant_id) };
  }

  drain(principal: Principal, id: string): Promise<void> {
    return this.command(principal, id, 'drain');
  }

  disconnect(principal: Principal, id: string): Promise<void> {
    return this.command(principal, id, 'disconnect');
  }

  /** Up to `slots` tasks as soon as there are some; none after `wait_seconds`, or when the caller leaves. */
  async poll(principal: Principal, input: PollDto, signal: AbortSignal): Promise<Polled> {
    const profile = toProfile(principal, input, 'http', input.slots);
    await this.enter(profile);
    const tasks = await this.claim(profile, input, signal);
    if (signal.aborted && tasks.length) {
      await this.engine.release(tasks);
      return this.polled(profile, []);
    }
    return this.polled(profile, tasks);
  }

  async beat({ tenant_id }: Principal, reports: ReportItem[]): Promise<BeatAck> {
    const leases = reports.map(({ lease }) => toLease(tenant_id, lease));
    const told = reports.filter(({ progress, checkpoint }) => progress !== undefined || checkpoint !== undefined);
    if (told.length) await this.engine.progress(told.map((report) => toProgress(tenant_id, report)));
    const states = leases.length ? await this.engine.heartbeat(leases, this.pool.leaseSeconds) : [];
    const cancelled = leases.filter((_, index) => states[index] === 'cancelling');
    if (cancelled.length) await this.engine.deliverCancel(cancelled);
    const inState = (wanted: string) => reports.filter((_, index) => states[index] === wanted).map(({ lease }) => lease);
    return { ok: states.filter((state) => state !== 'lost').length, lost: inState('lost'), cancel: inState('cancelling') };
  }

  async complete({ tenant_id }: Principal, { lease, result }: CompleteItem): Promise<SettledTask> {
    const held = toLease(tenant_id, lease);
    const problem = resultProblem(result);
    if (problem) return this.settled(held, await this.pool.failures.add(notStorable(held, problem)));
    const status = await this.completions.add({ ...held, result }).catch(async (error: unknown) => {
      if (!isDataError(error as object)) throw error;
      return this.pool.failures.add(notStorable(held, `The database refused the result: ${(error as Error).message}.`));
    });
    return this.settled(held, status);
  }

  async fail({ tenant_id }: Principal, item: FailItem): Promise<SettledTask> {
    const failure = toFailure(tenant_id, item);
    return this.settled(failure, await this.pool.failures.add(failure));
  }

  async log({ tenant_id }: Principal, lines: LineItem[]): Promise<void> {
    if (lines.length) await this.engine.appendLogs(lines.map((line) => toLogLine(tenant_id, line)));
  }

  private settled({ id, attempt }: Lease, status: string): SettledTask {
    if (status !== 'lost') return { task_id: id, status };
    throw new CodedError('LEASE_LOST', `The lease on attempt ${attempt} of task ${id} is gone; this result changes nothing. Drop it.`);
  }

  private polled(profile: WorkerProfile, tasks: ClaimedTask[]): Polled {
    return { worker_id: profile.id, ...leaseTimes(this.pool.leaseSeconds), tasks: tasks.map(toAssignment) };
  }

  private async claim(profile: WorkerProfile, { slots, wait_seconds }: PollDto, signal: AbortSignal): Promise<ClaimedTask[]> {
    const until = performance.now() + wait_seconds * 1_000;
    const { tenant_id, types, queues } = profile;
    for (;;) {
      const woken = this.woken(Math.min(pollMs, until - performance.now()), signal);
      const request = { worker_ids: [profile.id], tenant_id, types, queues, limit: slots, lease_seconds: this.pool.leaseSeconds };
      const tasks = await this.engine.claim(request);
      if (tasks.length || signal.aborted || performance.now() >= until) {
        woken.cancel();
        return tasks;
      }
      await woken.promise;
    }
  }

  /** Resolves when there may be work, the time is over, or the caller leaves. */
  private woken(milliseconds: number, signal: AbortSignal): { promise: Promise<void>; cancel: () => void } {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, Math.max(0, milliseconds));
    const unsubscribe = this.wakeUps.on('queued', resolve);
    signal.addEventListener('abort', () => resolve(), { once: true });
    void promise.then(() => {
      clearTimeout(timer);
      unsubscribe();
    });
    return { promise, cancel: resolve };
  }

  private async enter(profile: WorkerProfile): Promise<void> {
    const key = `${profile.tenant_id} ${profile.id}`;
    if (performance.now() - (this.enteredAt.get(key) ?? -Infinity) < enterMs) return;
    for (const [other, at] of this.enteredAt) if (performance.now() - at > enterMs) this.enteredAt.delete(other);
    this.enteredAt.set(key, performance.now());
    await this.pool.enter(profile);
  }

  private async command({ tenant_id }: Principal, id: string, command: 'drain' | 'disconnect'): Promise<void> {
    if (!(await this.store.command(tenant_id, id, command))) {
      throw new CodedError('NOT_FOUND', `There is no worker ${id} that is connected. GET /workers lists them.`);
    }
    this.wakeUps.signal('workers');
    noteChange({ id, after: { told_to: command } });
  }
}
