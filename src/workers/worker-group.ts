import { Batcher } from '../engine/batcher.js';
import type { Engine } from '../engine/engine.js';
import type { ClaimedTask, NewTask } from '../engine/task-row.js';
import type { Claim } from '../engine/transitions/claim.js';
import type { Completion, Settled } from '../engine/transitions/complete.js';
import type { WorkerProfile } from './worker.js';
import type { WorkerSession } from './worker-session.js';

/** Tasks that one statement claims. */
const maxClaim = 500;
/** Statements of fewer tasks than this cost more than they save. */
const leastShare = 50;
const firstPollMs = 1_000;
const lastPollMs = 5_000;

/** Sessions that take the same tasks: one claim is for all of them, however many there are. */
export class WorkerGroup {
  readonly sessions = new Set<WorkerSession>();
  private pollTimer: NodeJS.Timeout | undefined;
  private pollMs = firstPollMs;
  private claiming: Promise<void> | undefined;
  /** Whether there may be queued tasks that nobody has looked at since. */
  private moreWork = false;
  private readonly completions = new Batcher((completions: Completion[]) => this.completeAndFetch(completions), {
    maxItems: () => this.half(),
  });

  constructor(
    private readonly profile: Pick<WorkerProfile, 'tenant_id' | 'types' | 'queues'>,
    private readonly engine: Engine,
    private readonly leaseSeconds: number,
    private readonly onError: (message: string, error: unknown) => void,
  ) {}

  static keyOf({ tenant_id, types, queues }: WorkerProfile): string {
    return JSON.stringify([tenant_id, types.toSorted(), queues.toSorted()]);
  }

  /** There may be work, or room for it. */
  wake(): void {
    this.moreWork = true;
    this.claim();
  }

  /** Whether its workers run tasks like this one. */
  suits({ tenant_id, type, queue }: NewTask): boolean {
    const { types, queues } = this.profile;
    return tenant_id === this.profile.tenant_id && types.includes(type) && (!queues.length || queues.includes(queue));
  }

  /** New tasks go to the worker with the most room in the statement that inserts them, unless something may be in line already. */
  async startAtOnce(wanted: number, insert: (request?: Claim) => Promise<ClaimedTask[]>): Promise<void> {
    const session = this.moreWork ? undefined : this.roomiest();
    if (!session) return void (await insert());
    const count = Math.min(wanted, session.credit, maxClaim);
    session.credit -= count;
    const heldUntil = performance.now() + this.leaseSeconds * 1_000;
    let tasks: ClaimedTask[] = [];
    try {
      tasks = await insert({ ...this.profile, worker_ids: [session.profile.id], limit: count, lease_seconds: this.leaseSeconds });
    } finally {
      this.deliver(session, tasks, count, heldUntil);
    }
    // Somebody may have asked for the room meanwhile that was not needed.
    if (this.moreWork) this.claim();
  }

  private roomiest(): WorkerSession | undefined {
    let best: WorkerSession | undefined;
    for (const session of this.sessions) if (roomOf(session) > (best ? best.credit : 0)) best = session;
    return best;
  }

  /** Results, together with the next tasks. */
  complete(completion: Completion): Promise<Settled> {
    return this.completions.add(completion);
  }

  async stop(): Promise<void> {
    clearTimeout(this.pollTimer);
    this.sessions.clear();
    await this.claiming;
  }

  /**
   * Half of what the workers can run: when all of it ends at once, two statements share it, and neither the database nor the workers wait
   * for the other.
   */
  private half(): number {
    let slots = 0;
    for (const { profile } of this.sessions) slots += profile.slots;
    return Math.min(maxClaim, Math.max(leastShare, Math.ceil(slots / 2)));
  }

  private get credit(): number {
    let credit = 0;
    for (const session of this.sessions) credit += roomOf(session);
    return credit;
  }

  private claim(): void {
    if (this.claiming) return;
    clearTimeout(this.pollTimer);
    if (!this.sessions.size || this.credit === 0) return;
    this.claiming = this.fill()
      .catch((error: unknown) => this.onError('Claiming for workers failed; it is tried again', error))
      .finally(() => {
        this.claiming = undefined;
        if (this.moreWork && this.credit > 0) return this.claim();
        this.pollTimer = setTimeout(() => this.wake(), this.pollMs * (0.75 + Math.random() / 2));
        this.pollMs = Math.min(lastPollMs, this.pollMs * 1.5);
      });
  }

  private async fill(): Promise<void> {
    while (this.moreWork && this.credit > 0) await this.fetch(maxClaim, (request) => this.engine.claim(request));
  }

  private async completeAndFetch(completions: Completion[]): Promise<Settled[]> {
    if (this.credit === 0) return this.engine.complete(completions);
    let settled: Settled[] = [];
    await this.fetch(completions.length, async (request) => {
      const answer = await this.engine.completeAndClaim(completions, request);
      settled = answer.settled;
      return answer.claimed;
    });
    return settled;
  }

  /** Claims by `run` as many as there is room for, at most `limit`, and hands them to those for whom they were claimed. */
  private async fetch(limit: number, run: (request: Claim) => Promise<ClaimedTask[]>): Promise<void> {
    // A hint that comes from here on may be about what this statement does not see yet.
    this.moreWork = false;
    const reserved = this.reserve(limit);
    const workerIds = alternating(reserved);
    const heldUntil = performance.now() + this.leaseSeconds * 1_000;
    let tasks: ClaimedTask[] = [];
    try {
      tasks = await run({ ...this.profile, worker_ids: workerIds, limit: workerIds.length, lease_seconds: this.leaseSeconds });
    } finally {
      const byWorker = Map.groupBy(tasks, (task) => task.worker_id!);
      for (const [session, count] of reserved) this.deliver(session, byWorker.get(session.profile.id) ?? [], count, heldUntil);
    }
    if (tasks.length) this.pollMs = firstPollMs;
    if (tasks.length >= workerIds.length) this.moreWork = true;
  }

  private deliver(session: WorkerSession, tasks: ClaimedTask[], reserved: number, heldUntil: number): void {
    session.credit += reserved - tasks.length;
    if (!tasks.length) return;
    if (session.connected && !session.draining) {
      if (!session.held.size) session.heldUntil = heldUntil;
      return session.assign(tasks);
    }
    // It left, or wants no more, since the statement began.
    this.engine.release(tasks).catch((error: unknown) => this.onError('Tasks of a worker that left were not handed back', error));
  }

  /** Takes room off the sessions for one statement, evenly. */
  private reserve(limit: number): Map<WorkerSession, number> {
    const reserved = new Map<WorkerSession, number>();
    let left = limit;
    const sessions = [...this.sessions].filter((session) => roomOf(session) > 0).sort((a, b) => a.credit - b.credit);
    for (const [index, session] of sessions.entries()) {
      // Those with the least room come first, so what they leave goes to the others.
      const share = Math.min(session.credit, Math.ceil(left / (sessions.length - index)), left);
      if (share === 0) break;
      session.credit -= share;
      left -= share;
      reserved.set(session, share);
    }
    return reserved;
  }
}

function roomOf(session: WorkerSession): number {
  return session.connected && !session.draining ? session.credit : 0;
}

/** a b c a b a: the first tasks go to different workers. */
function alternating(reserved: Map<WorkerSession, number>): string[] {
  const most = Math.max(0, ...reserved.values());
  const ids: string[] = [];
  for (let round = 0; round < most; round++) {
    for (const [session, count] of reserved) if (round < count) ids.push(session.profile.id);
  }
  return ids;
}
