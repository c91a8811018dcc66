import { randomUUID } from 'node:crypto';
import type { ClaimedTask, Lease } from '../engine/task-row.js';
import type { CodedError } from '../errors/coded-error.js';
import type { Assignment, WorkerLease, WorkerProfile } from './worker.js';

/** What the server says by itself; answers are given by whoever was asked. */
export type ServerMessage = { assign: { tasks: Assignment[] } } | { cancel: { leases: WorkerLease[] } } | { drain: { reason: string } };

/** The way to a worker. */
export interface WorkerLink {
  send(message: ServerMessage): void;
  /** Ends the connection, with an error or without. */
  end(error?: CodedError): void;
}

/** A lease of a worker, as far as this replica knows. */
interface Held {
  lease: Lease;
  state: 'held' | 'cancelling' | 'lost';
  /** Monotonic, in milliseconds. A beat that does not list it may have crossed it on the way. */
  assignedAt: number;
  /** Its result is on the way to the database. */
  settling: boolean;
}

/** One connection of one worker: what it has room for and what it runs. */
export class WorkerSession {
  readonly id: string = randomUUID();
  readonly held = new Map<string, Held>();
  /** Tasks that may be sent to it; those that a claim under way may bring are taken off already. */
  credit = 0;
  draining = false;
  /** Its stream is there. */
  connected = true;
  /** Monotonic, in milliseconds. */
  lastBeatAt = performance.now();
  /** Monotonic time, in milliseconds, until which the database surely honours its leases. */
  heldUntil = 0;
  /** What it has said of its attempts so far is stored when this resolves. */
  reported: Promise<unknown> = Promise.resolve();

  constructor(
    readonly profile: WorkerProfile,
    private readonly link: WorkerLink,
  ) {}

  get silentMs(): number {
    return performance.now() - this.lastBeatAt;
  }

  /** Of a worker whose lease was confirmed after it came back. */
  hold(lease: Lease, state: 'held' | 'cancelling'): void {
    this.held.set(lease.lease_token, { lease, state, assignedAt: performance.now(), settling: false });
  }

  assign(tasks: ClaimedTask[]): void {
    for (const { tenant_id, id, attempt, lease_token } of tasks) this.hold({ tenant_id, id, attempt, lease_token }, 'held');
    this.link.send({ assign: { tasks: tasks.map(toAssignment) } });
  }

  /** Results for these are on their way: a beat need not list them any more. */
  settle(leaseTokens: string[]): void {
    for (const token of leaseTokens) {
      const held = this.held.get(token);
      if (held) held.settling = true;
    }
  }

  /** Tells the worker at once; every BeatAck repeats it. */
  cancel(leases: Lease[]): void {
    if (leases.length) this.link.send({ cancel: { leases: leases.map(toWorkerLease) } });
  }

  drain(reason: string): void {
    if (this.draining) return;
    this.draining = true;
    this.link.send({ drain: { reason } });
  }

  end(error?: CodedError): void {
    this.connected = false;
    this.link.end(error);
  }

  /** The leases that a renewal is for: what is not lost. */
  leases(): Lease[] {
    return [...this.held.values()].filter(({ state }) => state !== 'lost').map(({ lease }) => lease);
  }
}

export function toWorkerLease({ id, attempt, lease_token }: Lease): WorkerLease {
  return { task_id: id, attempt, lease_token };
}

export function toAssignment(task: ClaimedTask): Assignment {
  return {
    lease: toWorkerLease(task),
    tenant_id: task.tenant_id,
    name: task.name,
    type: task.type,
    queue: task.queue,
    priority: task.priority,
    labels: task.labels,
    parameters: task.parameters,
    max_attempts: task.max_attempts,
    timeout_seconds: task.timeout_seconds,
    checkpoint: task.checkpoint,
    traceparent: task.traceparent,
    tracestate: task.tracestate,
  };
}
