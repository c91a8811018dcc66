import { performance } from 'node:perf_hooks';
import { isDataError } from '../database/database-errors.js';
import { Batcher } from '../engine/batcher.js';
import type { Engine, Slots } from '../engine/engine.js';
import type { ClaimedTask, Lease, NewTask } from '../engine/task-row.js';
import type { Claim } from '../engine/transitions/claim.js';
import type { Completion, Settled } from '../engine/transitions/complete.js';
import type { Failure } from '../engine/transitions/fail.js';
import type { WakeUps } from '../events/wake-ups.js';
import type { HandlerRegistry } from '../handlers/handlers.js';
import { Attempt, type Outcome } from './attempt.js';
import { ReportBuffer } from './report-buffer.js';

export interface RunnerOptions {
  /** Name of this replica's runner, as `worker_id` shows it. */
  workerId: string;
  /** Attempts at the same time; read at each claim. */
  readonly slots: number;
  leaseSeconds: number;
  /** How long a handler may take to stop after its signal. */
  cancelGraceSeconds: number;
  onError(message: string, error: unknown): void;
  /** Runs an attempt in a context of its own: what claimed it, the request of somebody maybe, is not what it belongs to. */
  within?(task: ClaimedTask, run: () => Promise<void>): Promise<void>;
}

/** Tasks that one statement claims into free slots. */
const maxClaim = 500;
const firstPollMs = 1_000;
const lastPollMs = 5_000;
const retrySettleMs = 500;

/** Runs claimed attempts in this process: claims as many as slots are free, keeps their leases, settles their outcome. */
export class Runner implements Slots {
  private readonly running = new Map<string, Attempt>();
  private readonly ended = new Set<Promise<void>>();
  private readonly reports: ReportBuffer;
  private readonly unsubscribe: (() => void)[] = [];
  private pollTimer: NodeJS.Timeout | undefined;
  private heartbeatTimer: NodeJS.Timeout | undefined;
  private pollMs = firstPollMs;
  private claiming: Promise<void> | undefined;
  /** Whether there may be queued tasks that nobody has looked at since. */
  private moreWork = false;
  /** Slots that a statement under way may fill, and these statements. */
  private reservedSlots = 0;
  private readonly filling = new Set<Promise<number>>();
  private readonly completions = new Batcher((completions: Completion[]) => this.completeAndFetch(completions));
  private readonly failures = new Batcher((failures: Failure[]) => this.engine.fail(failures));
  private accepting = false;

  constructor(
    private readonly engine: Engine,
    private readonly handlers: HandlerRegistry,
    wakeUps: WakeUps,
    private readonly options: RunnerOptions,
  ) {
    this.reports = new ReportBuffer(engine, (error) => options.onError('Progress or log lines were not stored', error));
    this.unsubscribe.push(
      wakeUps.on('queued', () => this.wake()),
      wakeUps.on('cancelling', () => void this.renewLeases()),
    );
  }

  /** Slots there are, and attempts that run in them. */
  get load(): { slots: number; running: number } {
    return { slots: this.options.slots, running: this.running.size };
  }

  start(): void {
    this.accepting = true;
    this.engine.useSlots(this);
    this.heartbeatTimer = setInterval(() => void this.renewLeases(), (this.options.leaseSeconds * 1_000) / 3);
    this.wake();
  }

  /**
   * Stops claiming, lets running attempts finish for up to `graceMs`, and hands the rest back to their queues.
   * `hurry` cuts the wait short.
   */
  async stop(graceMs: number, hurry?: AbortSignal): Promise<void> {
    this.accepting = false;
    for (const unsubscribe of this.unsubscribe) unsubscribe();
    clearTimeout(this.pollTimer);
    await this.claiming;
    await Promise.allSettled(this.filling);
    await this.endOfRunning(graceMs, hurry);
    for (const attempt of this.running.values()) attempt.stop('SHUTDOWN', 'The server is shutting down; the task goes back to its queue.');
    await Promise.all(this.ended);
    clearInterval(this.heartbeatTimer);
    await this.reports.flush();
  }

  /** Lets running attempts finish for up to `graceMs`, and hands the rest back to their queues; nothing once it is called off. Somebody else sees to it that none are begun. */
  async drain(graceMs: number, calledOff: AbortSignal): Promise<void> {
    await this.claiming;
    await Promise.allSettled(this.filling);
    await this.endOfRunning(graceMs, calledOff);
    if (calledOff.aborted) return;
    for (const attempt of this.running.values()) attempt.stop('SHUTDOWN', 'This replica is drained; the task goes back to its queue.');
    await Promise.all(this.ended);
  }

  /** There may be work, or room for it: a hint came, or it is time to look. */
  wake(): void {
    this.moreWork = true;
    this.claim();
  }

  /** Fills the free slots; one claim at a time, and at once again while there is more. */
  private claim(): void {
    if (!this.accepting || this.claiming) return;
    clearTimeout(this.pollTimer);
    this.claiming = this.fillSlots()
      .catch((error: unknown) => this.options.onError('Claiming failed; it is tried again', error))
      .finally(() => {
        this.claiming = undefined;
        if (!this.accepting) return;
        if (this.moreWork && this.freeSlots > 0) return this.claim();
        this.pollTimer = setTimeout(() => this.wake(), this.pollMs * (0.75 + Math.random() / 2));
        this.pollMs = Math.min(lastPollMs, this.pollMs * 1.5);
      });
  }

  private get freeSlots(): number {
    return this.options.slots - this.running.size - this.reservedSlots;
  }

  /** Not more than one statement takes; the rest stays free for tasks that start as they are created. */
  private get claimableSlots(): number {
    return Math.min(maxClaim, Math.max(0, this.freeSlots));
  }

  private async fillSlots(): Promise<void> {
    while (this.moreWork && this.accepting && this.freeSlots > 0) {
      const free = this.claimableSlots;
      await this.fetch(free, free, (request) => this.engine.claim(request));
    }
  }

  /** Stores results and fills the slots that they leave, together with those that are free anyway. */
  private async completeAndFetch(completions: Completion[]): Promise<Settled[]> {
    if (!this.accepting) return this.engine.complete(completions);
    let settled: Settled[] = [];
    const free = this.claimableSlots;
    // After fewer slots than before have been set, what ends leaves none.
    const wanted = this.freeSlots < 0 ? this.freeSlots + completions.length : free + completions.length;
    if (wanted <= 0) return this.engine.complete(completions);
    await this.fetch(free, wanted, async (request) => {
      const answer = await this.engine.completeAndClaim(completions, request);
      settled = answer.settled;
      return answer.claimed;
    });
    return settled;
  }

  suit({ type }: NewTask): boolean {
    return this.options.slots > 0 && this.handlers.get(type) !== undefined;
  }

  /** New tasks that find a free slot start without waiting in line, unless something may be in line already. */
  async startAtOnce(_task: NewTask, wanted: number, insert: (request?: Claim) => Promise<ClaimedTask[]>): Promise<void> {
    const free = this.accepting && !this.moreWork ? Math.min(wanted, this.freeSlots) : 0;
    if (free <= 0) return void (await insert());
    await this.intoSlots(free, free, insert);
    // Somebody may have asked for the slots meanwhile that were not needed.
    if (this.moreWork) this.claim();
  }

  /** Claims by `run` up to `limit` tasks, `free` of them into slots that are free already, and remembers whether there may be more. */
  private async fetch(free: number, limit: number, run: (request: Claim) => Promise<ClaimedTask[]>): Promise<void> {
    // A hint that comes from here on may be about what this statement does not see yet.
    this.moreWork = false;
    const count = await this.intoSlots(free, limit, run);
    if (count > 0) this.pollMs = firstPollMs;
    if (count >= limit) this.moreWork = true;
  }

  /** Starts what `run` claims; nobody else may fill the `free` slots meanwhile. Answers how many it claimed. */
  private async intoSlots(free: number, limit: number, run: (request: Claim) => Promise<ClaimedTask[]>): Promise<number> {
    this.reservedSlots += free;
    const filling = this.claimAndBegin(limit, run);
    this.filling.add(filling);
    try {
      return await filling;
    } finally {
      this.filling.delete(filling);
      this.reservedSlots -= free;
    }
  }

  private async claimAndBegin(limit: number, run: (request: Claim) => Promise<ClaimedTask[]>): Promise<number> {
    const { workerId, leaseSeconds } = this.options;
    const heldUntil = performance.now() + leaseSeconds * 1_000;
    const tasks = await run({ worker_ids: [workerId], types: this.handlers.types(), limit, lease_seconds: leaseSeconds });
    if (this.accepting) for (const task of tasks) this.begin(task, heldUntil);
    else if (tasks.length) await this.handBack(tasks);
    return tasks.length;
  }

  private begin(task: ClaimedTask, leaseHeldUntil: number): void {
    const attempt = new Attempt(task, this.handlers.get(task.type)!, this.reports, this.options.cancelGraceSeconds * 1_000, leaseHeldUntil);
    this.running.set(task.lease_token, attempt);
    const { within } = this.options;
    const running = within ? within(task, () => this.runToEnd(attempt)) : this.runToEnd(attempt);
    const ended = running.finally(() => {
      this.running.delete(task.lease_token);
      this.ended.delete(ended);
      if (this.moreWork) this.claim();
    });
    this.ended.add(ended);
  }

  private async runToEnd(attempt: Attempt): Promise<void> {
    let outcome = await attempt.run();
    await this.reports.flushOf(attempt.lease);
    // Without a database the outcome waits, as long as the lease may still be ours; after that nobody would take it.
    for (;;) {
      try {
        return await this.settle(attempt, outcome);
      } catch (error) {
        this.options.onError(`The outcome of task ${attempt.task.id} was not stored`, error);
        if (attempt.stopCode === 'LEASE_LOST' || !this.accepting) return;
        if (!isDataError(error as object)) await new Promise((resolve) => setTimeout(resolve, retrySettleMs));
        else if (outcome.kind === 'completed') outcome = attempt.notStorable((error as Error).message);
        else return;
      }
    }
  }

  private async settle(attempt: Attempt, outcome: Outcome): Promise<void> {
    switch (outcome.kind) {
      case 'completed':
        await this.completions.add(outcome.completion);
        break;
      case 'failed':
        await this.failures.add(outcome.failure);
        break;
      case 'released':
        await this.handBack([attempt.lease]);
        break;
      case 'dropped':
        break;
    }
  }

  /** Back to their queues. A task that was being cancelled is not handed back: it ends as its client asked. */
  private async handBack(leases: Lease[]): Promise<void> {
    const settled = await this.engine.release(leases);
    const refused = leases.filter((_, index) => settled[index] === 'lost');
    if (refused.length) await this.engine.complete(refused.map((lease) => ({ ...lease, result: undefined })));
  }

  /** One statement for all leases; tells attempts that are to stop, and those whose lease is gone. */
  private async renewLeases(): Promise<void> {
    const attempts = [...this.running.values()];
    if (!attempts.length) return;
    const askedAt = performance.now();
    const told: Lease[] = [];
    try {
      const states = await this.engine.heartbeat(
        attempts.map((attempt) => attempt.lease),
        this.options.leaseSeconds,
      );
      attempts.forEach((attempt, index) => {
        if (states[index] === 'lost') return attempt.stop('LEASE_LOST', 'The lease was taken back; somebody else may run the task now.');
        attempt.leaseHeldUntil = askedAt + this.options.leaseSeconds * 1_000;
        if (states[index] !== 'cancelling' || attempt.stopCode) return;
        attempt.stop('CANCELLED', 'The task was cancelled.');
        told.push(attempt.lease);
      });
      if (told.length) await this.engine.deliverCancel(told);
    } catch (error) {
      this.options.onError('Leases were not renewed; it is tried again', error);
      this.dropOverdue(attempts);
    }
  }

  /** Cut off from the database: what may have been given to somebody else by now must not go on here. */
  private dropOverdue(attempts: Attempt[]): void {
    const nextRenewal = performance.now() + (this.options.leaseSeconds * 1_000) / 3;
    for (const attempt of attempts) {
      if (attempt.leaseHeldUntil < nextRenewal) attempt.stop('LEASE_LOST', 'The lease could not be renewed in time.');
    }
  }

  private async endOfRunning(graceMs: number, hurry?: AbortSignal): Promise<void> {
    if (!this.ended.size || hurry?.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, graceMs);
    hurry?.addEventListener('abort', () => resolve());
    await Promise.race([Promise.all(this.ended), promise]);
    clearTimeout(timer);
  }
}
