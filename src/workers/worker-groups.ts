import type { Engine, Slots } from '../engine/engine.js';
import type { ClaimedTask, NewTask } from '../engine/task-row.js';
import type { Claim } from '../engine/transitions/claim.js';
import { WorkerGroup } from './worker-group.js';
import type { WorkerSession } from './worker-session.js';

/** The workers of this replica by what they run. */
export class WorkerGroups implements Slots {
  private readonly groups = new Map<string, WorkerGroup>();

  constructor(
    private readonly engine: Engine,
    private readonly leaseSeconds: number,
    private readonly onError: (message: string, error: unknown) => void,
  ) {}

  join(session: WorkerSession): void {
    this.of(session).sessions.add(session);
  }

  leave(session: WorkerSession): void {
    const key = WorkerGroup.keyOf(session.profile);
    const group = this.groups.get(key);
    group?.sessions.delete(session);
    if (group && !group.sessions.size) {
      this.groups.delete(key);
      void group.stop();
    }
  }

  /** Of the workers that take the same tasks. */
  of({ profile }: WorkerSession): WorkerGroup {
    const key = WorkerGroup.keyOf(profile);
    let group = this.groups.get(key);
    if (!group) {
      group = new WorkerGroup(profile, this.engine, this.leaseSeconds, this.onError);
      this.groups.set(key, group);
    }
    return group;
  }

  /** There may be work. */
  wake(): void {
    for (const group of this.groups.values()) group.wake();
  }

  async stop(): Promise<void> {
    await Promise.all([...this.groups.values()].map((group) => group.stop()));
  }

  suit(task: NewTask): boolean {
    return this.forTask(task) !== undefined;
  }

  async startAtOnce(task: NewTask, wanted: number, insert: (request?: Claim) => Promise<ClaimedTask[]>): Promise<void> {
    const group = this.forTask(task);
    if (group) await group.startAtOnce(wanted, insert);
    else await insert();
  }

  private forTask(task: NewTask): WorkerGroup | undefined {
    for (const group of this.groups.values()) if (group.suits(task)) return group;
    return undefined;
  }
}
