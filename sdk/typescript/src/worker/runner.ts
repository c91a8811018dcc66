import type { Assignment, Lease, LogLine } from '../generated/arkitect/v1/worker_service.js';
import { TaskFailure, type Handler } from '../handler.js';
import { Attempt, type AttemptListener } from './attempt.js';
import { Outbox, type Ended } from './outbox.js';
import { Report } from './report.js';

/** What the attempts have for whoever is connected to the server. */
export interface RunnerListener {
  /** Something waits in the outbox, or a slot has become free. */
  changed(): void;
  /** An attempt has said something of itself that a beat can carry. */
  reported(): void;
}

/** Runs attempts in this process, and keeps what they have to say. It outlives the streams. */
export class Runner {
  readonly outbox = new Outbox();
  /** All that occupy a slot, by lease token: also those that were dropped and have not stopped yet. */
  readonly #attempts = new Map<string, Attempt>();
  readonly #handlers: ReadonlyMap<string, Handler>;
  readonly #attemptListener: AttemptListener;
  #listener: RunnerListener | undefined;
  #waiting: { isTrue: () => boolean; resolve: () => void }[] = [];
  #accepting = true;

  constructor(handlers: ReadonlyMap<string, Handler>) {
    this.#handlers = handlers;
    this.#attemptListener = {
      log: (line: LogLine) => {
        this.outbox.addLine(line);
        this.#listener?.changed();
      },
      reported: () => this.#listener?.reported(),
    };
  }

  /** Slots that are taken. */
  get occupied(): number {
    return this.#attempts.size;
  }

  /** Nothing runs, and the server knows of everything that ran. */
  get isQuiet(): boolean {
    return this.occupied === 0 && this.outbox.isEmpty;
  }

  /** The stream that is open now; undefined when none is. */
  listen(listener: RunnerListener | undefined): void {
    this.#listener = listener;
  }

  /** Starts an attempt, or hands it back when the worker is stopping. */
  begin(assignment: Assignment): void {
    if (!this.#accepting) {
      if (assignment.lease) this.outbox.addOutcome(assignment.lease, new Report(), { kind: 'handed back' });
      this.#changed();
      return;
    }
    const attempt = new Attempt(assignment, this.#handlers.get(assignment.type) ?? noHandler, this.#attemptListener);
    this.#attempts.set(attempt.lease.leaseToken, attempt);
    void attempt.run().then((outcome) => {
      this.#attempts.delete(attempt.lease.leaseToken);
      this.outbox.addOutcome(attempt.lease, attempt.report, outcome);
      this.#changed();
    });
  }

  /** Attempts whose lease is still ours, as far as we know. */
  *running(): Generator<Attempt> {
    for (const attempt of this.#attempts.values()) if (!attempt.isDropped) yield attempt;
  }

  /** All whose leases are to be kept alive: what is over and not acknowledged, then what runs. */
  held(): Ended[] {
    return [...this.outbox.ended(), ...this.running()];
  }

  /** Somebody cancelled these tasks. */
  cancel(leases: Lease[]): void {
    for (const { leaseToken } of leases) this.#attempts.get(leaseToken)?.stop('CANCELLED', 'The task was cancelled.');
  }

  /** These leases are gone; answers how many attempts that stops. */
  drop(leases: Lease[]): number {
    this.outbox.drop(new Set(leases.map(({ leaseToken }) => leaseToken)));
    let dropped = 0;
    for (const { leaseToken } of leases) {
      const attempt = this.#attempts.get(leaseToken);
      if (!attempt || attempt.isDropped) continue;
      attempt.stop('LEASE_LOST', 'The lease was taken back; somebody else may run the task now.');
      dropped += 1;
    }
    this.#changed();
    return dropped;
  }

  /** Nothing was heard of the server for so long that all leases may be gone; answers how many attempts that stops. */
  dropAll(): number {
    let dropped = 0;
    for (const attempt of this.running()) {
      attempt.stop('LEASE_LOST', 'The server could not be reached in time to keep the lease.');
      dropped += 1;
    }
    return dropped;
  }

  /** A new stream: what may have been lost with the old one is to be said again. */
  repeat(): void {
    this.outbox.resend();
    for (const attempt of this.running()) attempt.report.repeat();
  }

  /** Begins nothing more. */
  close(): void {
    this.#accepting = false;
    this.#changed();
  }

  /** Tells what still runs to stop; what does not complete within a second goes back to its queue. */
  shutDown(): void {
    for (const attempt of this.#attempts.values()) attempt.stop('SHUTDOWN', 'The worker is stopping; the task goes back to its queue.');
  }

  /** Resolves as soon as a condition holds; it is looked at whenever something here changes. */
  until(isTrue: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ isTrue, resolve });
      this.#check();
    });
  }

  /** The server has acknowledged results. */
  acknowledge(settleId: number): void {
    this.outbox.acknowledge(settleId);
    this.#changed();
  }

  /** What waited in the outbox was sent. */
  flushed(): void {
    this.#check();
  }

  #changed(): void {
    this.#listener?.changed();
    this.#check();
  }

  #check(): void {
    if (this.#waiting.length === 0) return;
    const met = this.#waiting.filter(({ isTrue }) => isTrue());
    this.#waiting = this.#waiting.filter((waiting) => !met.includes(waiting));
    for (const { resolve } of met) resolve();
  }
}

/** The server assigns only what was asked for; should it not, the task must not come back to us for ever. */
const noHandler: Handler = (_parameters, { task }) => {
  throw new TaskFailure('HANDLER_ERROR', `This worker has no handler for the type ${task.type}.`, { retryable: false });
};
