import type { Database, Queryable } from '../database/database.js';
import type { WakeUps } from '../events/wake-ups.js';
import type { ChangedTaskRow, ClaimedTask, Lease, NewTask, RemovedTask, TaskRef, TaskRow } from './task-row.js';
import { Batcher } from './batcher.js';
import { appendLogs, type LogLine } from './transitions/append-logs.js';
import { cancel } from './transitions/cancel.js';
import { claim, type Claim } from './transitions/claim.js';
import { completeAndClaim } from './transitions/complete-and-claim.js';
import { complete, type Completion, type Settled } from './transitions/complete.js';
import { enqueue } from './transitions/enqueue.js';
import { deliverCancel } from './transitions/deliver-cancel.js';
import { execute } from './transitions/execute.js';
import { fail, type Failure } from './transitions/fail.js';
import { heartbeat, type LeaseState } from './transitions/heartbeat.js';
import { progress, type Progress } from './transitions/progress.js';
import { release } from './transitions/release.js';
import { remove } from './transitions/remove.js';
import { expireLeases, rescue, type RescueLimits } from './transitions/rescue.js';
import { retry } from './transitions/retry.js';
import { secondsUntilDue, stageDue } from './transitions/stage-due.js';
import { update, type EditableFields } from './transitions/update.js';

/** Where new tasks can start at once. */
export interface Slots {
  /** Whether tasks like this one run here. */
  suit(task: NewTask): boolean;
  /** Calls `insert` once: with a claim for up to `wanted` slots that are free just now for tasks like `task`, or with none. Starts what it answers. */
  startAtOnce(task: NewTask, wanted: number, insert: (request?: Claim) => Promise<ClaimedTask[]>): Promise<void>;
}

/** Hears of attempts, whoever runs them. */
export interface AttemptObserver {
  /** They are about to be handed to their workers, and may be given another place in their trace. */
  begun(tasks: ClaimedTask[]): void;
  /** `outcome`: where it left the task, or what became of the lease; `code`: why it failed. Nothing may be known of the lease. */
  ended(leaseToken: string, outcome: string, code?: string): void;
}

/**
 * Every arrow of the life cycle, as one call. Each is one statement that also writes its events; what it means to
 * others (work to claim, an attempt to stop) is told by a wake-up once it has committed.
 */
export class Engine {
  private readonly creates = new Batcher((tasks: NewTask[]) => this.enqueue(tasks));
  private readonly executes = new Batcher((refs: TaskRef[]) => this.executeAll(refs), { keyOf: ({ id }) => id });
  private readonly slots: Slots[] = [];
  /** Hears how many tasks each statement has moved. */
  observer: ((transition: string, tasks: number) => void) | undefined;
  attempts: AttemptObserver | undefined;
  /** While it is so, nothing is begun: tasks wait in their queues. What runs goes on. */
  isPaused: () => boolean = () => false;

  constructor(
    private readonly database: Database,
    private readonly wakeUps: WakeUps,
  ) {}

  /** One task, in one statement with all that arrive at the same time. */
  enqueueOne(task: NewTask): Promise<TaskRow> {
    return this.creates.add(task);
  }

  /** All in one statement: all or nothing. Answers them as they were created, though some may run by now. */
  async enqueue(tasks: NewTask[]): Promise<TaskRow[]> {
    let rows: TaskRow[] = [];
    const insert = async (request?: Claim) => {
      const enqueued = await enqueue(this.database.api, tasks, request);
      rows = enqueued.rows;
      this.attempts?.begun(enqueued.claimed);
      this.observer?.('create', rows.length);
      this.enqueued(rows, enqueued.claimed.length);
      return enqueued.claimed;
    };
    const first = tasks.find(({ start, run_at }) => start === 'auto' && run_at === null);
    const slots = first && !this.isPaused() && this.slots.find((candidate) => candidate.suit(first));
    if (slots) await slots.startAtOnce(first, tasks.length, insert);
    else await insert();
    return rows;
  }

  /** The same inside a caller's transaction; call `enqueued` with the rows when it has committed. */
  async enqueueWithin(transaction: Queryable, tasks: NewTask[]): Promise<TaskRow[]> {
    return (await enqueue(transaction, tasks)).rows;
  }

  /** `claimed` of the rows need nobody to be woken for them. */
  enqueued(rows: Pick<TaskRow, 'status'>[], claimed = 0): void {
    const inLine = rows.filter((row) => row.status === 'queued').length - claimed;
    const isScheduled = rows.some((row) => row.status === 'scheduled');
    this.wakeUps.signal('events', ...(inLine > 0 ? (['queued'] as const) : []), ...(isScheduled ? (['scheduled'] as const) : []));
  }

  /** From now on tasks may start in the statement that creates them. */
  useSlots(slots: Slots): void {
    this.slots.push(slots);
  }

  async execute(ref: TaskRef): Promise<TaskRow | undefined> {
    return this.changed(await this.executes.add(ref));
  }

  private executeAll(refs: TaskRef[]): Promise<(TaskRow | undefined)[]> {
    this.observer?.('execute', refs.length);
    return execute(this.database.api, refs);
  }

  async cancel(ref: TaskRef): Promise<ChangedTaskRow | undefined> {
    return this.changed(await cancel(this.database.api, ref));
  }

  async retry(ref: TaskRef): Promise<ChangedTaskRow | undefined> {
    return this.changed(await retry(this.database.api, ref));
  }

  async update(ref: TaskRef, version: number, fields: EditableFields): Promise<TaskRow | undefined> {
    return this.changed(await update(this.database.api, ref, version, fields));
  }

  async remove(ref: TaskRef, version?: number): Promise<RemovedTask | undefined> {
    const removed = await remove(this.database.api, ref, version);
    if (removed) this.wakeUps.signal('events');
    return removed;
  }

  async claim(request: Claim): Promise<ClaimedTask[]> {
    if (this.isPaused()) return [];
    const tasks = await claim(this.database.engine, request);
    if (!tasks.length) return tasks;
    this.attempts?.begun(tasks);
    this.observer?.('claim', tasks.length);
    this.wakeUps.signal('events');
    return tasks;
  }

  async heartbeat(leases: Lease[], leaseSeconds: number): Promise<LeaseState[]> {
    const states = await heartbeat(this.database.engine, leases, leaseSeconds);
    if (this.attempts) this.ended(leases, states, ['lost']);
    return states;
  }

  /** The workers of these attempts have been told to stop. */
  deliverCancel(leases: Lease[]): Promise<void> {
    return deliverCancel(this.database.engine, leases);
  }

  async progress(reports: Progress[]): Promise<void> {
    await progress(this.database.engine, reports);
    this.wakeUps.signal('events');
  }

  async appendLogs(lines: LogLine[]): Promise<void> {
    await appendLogs(this.database.engine, lines);
    this.wakeUps.signal('events');
  }

  async complete(completions: Completion[]): Promise<Settled[]> {
    this.observer?.('complete', completions.length);
    return this.settled(completions, await complete(this.database.engine, completions));
  }

  /** Results and the next tasks in one statement. */
  async completeAndClaim(completions: Completion[], request: Claim): Promise<{ settled: Settled[]; claimed: ClaimedTask[] }> {
    if (this.isPaused()) return { settled: await this.complete(completions), claimed: [] };
    const answer = await completeAndClaim(this.database.engine, completions, request);
    if (this.attempts) this.ended(completions, answer.settled);
    this.attempts?.begun(answer.claimed);
    this.observer?.('complete', completions.length);
    if (answer.claimed.length) this.observer?.('claim', answer.claimed.length);
    this.wakeUps.signal('events');
    return answer;
  }

  async fail(failures: Failure[]): Promise<Settled[]> {
    this.observer?.('fail', failures.length);
    return this.settled(failures, await fail(this.database.engine, failures));
  }

  async release(leases: Lease[]): Promise<Settled[]> {
    const settled = await release(this.database.engine, leases);
    // What is lost to it may still be completed: then it was being cancelled.
    if (this.attempts) this.ended(leases, settled, ['queued']);
    return this.wakeFor(settled);
  }

  /** Both sweeps answer how many rows they moved; a full batch means there is more. */
  async stageDue(limit: number): Promise<number> {
    const rows = await stageDue(this.database.loops, limit);
    if (rows.length) this.wakeUps.signal('events', 'queued');
    return rows.length;
  }

  /** Until the next scheduled task is due; Infinity when there is none. */
  secondsUntilDue(): Promise<number> {
    return secondsUntilDue(this.database.loops);
  }

  async rescue(limits: RescueLimits): Promise<number> {
    const rows = await rescue(this.database.loops, limits);
    if (rows.length) this.observer?.('rescue', rows.length);
    if (rows.length) this.wakeUps.signal('events', 'queued', 'cancelling');
    return rows.length;
  }

  /** Takes these leases back now, as if they had expired; of those that are gone already nothing changes. */
  async loseLeases(leases: Lease[], limits: RescueLimits): Promise<void> {
    await heartbeat(this.database.engine, leases, 0);
    for (const { lease_token } of leases) this.attempts?.ended(lease_token, 'lost');
    await this.rescue(limits);
  }

  /** Makes the next rescue take everything back that runs here. Only for a server that is alone with its database. */
  expireLeases(): Promise<void> {
    return expireLeases(this.database.loops);
  }

  private changed<Row extends TaskRow>(row: Row | undefined): Row | undefined {
    if (row) {
      const { status } = row;
      const isHint = status === 'queued' || status === 'cancelling' || status === 'scheduled';
      this.wakeUps.signal('events', ...(isHint ? [status] : []));
    }
    return row;
  }

  private settled(leases: (Lease | Failure)[], outcomes: Settled[]): Settled[] {
    if (this.attempts) this.ended(leases, outcomes);
    return this.wakeFor(outcomes);
  }

  /** Tells of those that ended in one of `outcomes`, by default of all. */
  private ended(leases: (Lease | Failure)[], states: (Settled | LeaseState)[], outcomes = states): void {
    leases.forEach((lease, index) => {
      const outcome = states[index]!;
      if (outcomes.includes(outcome)) this.attempts?.ended(lease.lease_token, outcome, 'code' in lease ? lease.code : undefined);
    });
  }

  private wakeFor(outcomes: Settled[]): Settled[] {
    this.wakeUps.signal('events', ...(['queued', 'scheduled'] as const).filter((status) => outcomes.includes(status)));
    return outcomes;
  }
}
