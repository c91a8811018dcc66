import { randomUUID } from 'node:crypto';
import { Inject, Injectable, Logger, type BeforeApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { isDataError } from '../database/database-errors.js';
import { Batcher } from '../engine/batcher.js';
import { Engine } from '../engine/engine.js';
import type { Lease } from '../engine/task-row.js';
import type { LogLine } from '../engine/transitions/append-logs.js';
import type { Completion } from '../engine/transitions/complete.js';
import type { Failure } from '../engine/transitions/fail.js';
import type { Progress } from '../engine/transitions/progress.js';
import { CodedError } from '../errors/coded-error.js';
import { WakeUps } from '../events/wake-ups.js';
import { Lifecycle } from '../health/lifecycle.js';
import { SETTINGS, type Settings } from '../settings.js';
import type { BeatAck, WorkerProfile } from './worker.js';
import { WorkerGroups } from './worker-groups.js';
import { leaseTimes, notStorable } from './worker-messages.js';
import { toWorkerLease, WorkerSession, type WorkerLink } from './worker-session.js';
import { REPLICA_ID } from './workers.tokens.js';
import { WorkersStore } from './workers.store.js';

/** A worker whose stream broke may come back for this long before its tasks run elsewhere. */
const graceMs = 3_000;
const watchMs = 500;
const forgetMs = 60_000;
const drainedReplica = 'This replica is drained; connect again, another one will answer.';

/** The workers that are connected to this replica. */
@Injectable()
export class WorkerPool implements OnModuleInit, BeforeApplicationShutdown {
  private readonly logger = new Logger('WorkerPool');
  private readonly groups: WorkerGroups;
  /** By worker id; also those whose stream broke a moment ago. */
  private readonly sessions = new Map<string, WorkerSession>();
  private readonly unsubscribe: (() => void)[] = [];
  private readonly timers: NodeJS.Timeout[] = [];
  private readonly graceTimers = new Set<NodeJS.Timeout>();
  private stopping = false;
  /** Until it is resumed, workers are sent to other replicas. */
  private turnsAway = false;
  readonly failures = new Batcher((failures: Failure[]) => this.engine.fail(failures));
  private readonly progress = new Batcher(
    async (reports: Progress[]) => {
      await this.engine.progress(reports);
      return reports;
    },
    { keyOf: ({ id }) => id, maxInFlight: 1 },
  );
  private readonly logs = new Batcher(
    async (lines: LogLine[]) => {
      await this.engine.appendLogs(lines);
      return lines;
    },
    // One after the other, so that lines keep their order.
    { maxInFlight: 1 },
  );
  readonly leaseSeconds: number;

  constructor(
    private readonly engine: Engine,
    private readonly store: WorkersStore,
    private readonly wakeUps: WakeUps,
    @Inject(SETTINGS) private readonly settings: Settings,
    private readonly lifecycle: Lifecycle,
    @Inject(REPLICA_ID) private readonly replicaId: string,
  ) {
    this.leaseSeconds = settings.ENGINE_LEASE_SECONDS;
    this.groups = new WorkerGroups(engine, this.leaseSeconds, (message, error) => this.logger.warn(`${message}: ${String(error)}`));
  }

  onModuleInit(): void {
    this.engine.useSlots(this.groups);
    this.unsubscribe.push(
      this.wakeUps.on('queued', () => this.groups.wake()),
      this.wakeUps.on('cancelling', () => void this.renewLeases()),
      this.wakeUps.on('workers', () => void this.obey()),
    );
    this.every(watchMs, () => this.giveUpSilent());
    this.every((this.leaseSeconds * 1_000) / 3, () => void this.renewLeases());
    this.every((this.leaseSeconds * 1_000) / 3, () => void this.tellStates());
    this.every(forgetMs, () => void (this.sessions.size > 0 && this.quietly(this.store.forget())));
  }

  /** Running attempts may end; then the workers, and what they still run, go to other replicas. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopping = true;
    this.unsubscribe.forEach((unsubscribe) => unsubscribe());
    const sessions = [...this.sessions.values()].filter(({ connected }) => connected);
    for (const session of sessions) session.drain('The server is stopping.');
    await this.allDrained(sessions, this.settings.ENGINE_SHUTDOWN_SECONDS * 1_000, this.lifecycle.hurry);
    for (const session of sessions)
      session.end(new CodedError('UNAVAILABLE', 'The server is stopping; connect again, another one will answer.'));
    await Promise.all(sessions.map(({ id, held }) => this.quietly(held.size ? this.store.gone(id, held.size) : this.store.leave(id))));
    for (const timer of this.timers) clearInterval(timer);
    for (const timer of this.graceTimers) clearTimeout(timer);
    await this.groups.stop();
  }

  /** Attempts that its workers run. */
  get running(): number {
    return [...this.sessions.values()].reduce((sum, { held }) => sum + held.size, 0);
  }

  /**
   * Sends the workers to other replicas, once what they run has ended, `graceMs` are over or it is called off (then they may also come back here);
   * unfinished attempts go along with them.
   */
  async drain(graceMs: number, calledOff: AbortSignal): Promise<void> {
    this.turnsAway = true;
    const sessions = [...this.sessions.values()].filter(({ connected }) => connected);
    for (const session of sessions) session.drain('This replica is drained.');
    await this.allDrained(sessions, graceMs, calledOff);
    if (this.stopping) return;
    for (const session of sessions.filter(({ connected }) => connected)) {
      session.end(new CodedError('UNAVAILABLE', drainedReplica));
      this.disconnected(session);
    }
  }

  resume(): void {
    this.turnsAway = false;
  }

  /** A worker says hello. Of what it still runs, answers what is still its own and what is not. */
  async connect(
    profile: WorkerProfile,
    inFlight: Lease[],
    link: WorkerLink,
  ): Promise<{ session: WorkerSession; confirmed: Lease[]; revoked: Lease[] }> {
    if (this.stopping) throw new CodedError('UNAVAILABLE', 'The server is stopping; connect again, another one will answer.');
    if (this.turnsAway) throw new CodedError('UNAVAILABLE', drainedReplica);
    const session = new WorkerSession(profile, link);
    const heldUntil = performance.now() + this.leaseSeconds * 1_000;
    const states = inFlight.length ? await this.engine.heartbeat(inFlight, this.leaseSeconds) : [];
    await this.store.connect(profile, session.id, this.replicaId);
    const before = this.sessions.get(profile.id);
    if (before) this.replace(before, new Set(inFlight.map(({ lease_token }) => lease_token)));
    const confirmed = inFlight.filter((lease, index) => {
      const state = states[index]!;
      if (state !== 'lost') session.hold(lease, state);
      return state !== 'lost';
    });
    session.heldUntil = heldUntil;
    this.sessions.set(profile.id, session);
    this.groups.join(session);
    return { session, confirmed, revoked: inFlight.filter((_, index) => states[index] === 'lost') };
  }

  /** The worker has been told to stop these. */
  delivered(leases: Lease[]): void {
    if (leases.length) void this.quietly(this.engine.deliverCancel(leases));
  }

  /** The stream is over. A worker that runs nothing just leaves; one that runs something may come back for a while. */
  disconnected(session: WorkerSession): void {
    session.connected = false;
    this.groups.leave(session);
    if (this.sessions.get(session.profile.id) !== session) return;
    if (!session.held.size) {
      this.sessions.delete(session.profile.id);
      if (!this.stopping) void this.quietly(this.store.leave(session.id));
      return;
    }
    // At a stop nothing is taken from workers: they go on at another replica, or when this one is back.
    if (this.stopping) return;
    void this.quietly(this.store.gone(session.id, session.held.size));
    const timer = setTimeout(() => {
      this.graceTimers.delete(timer);
      void this.quietly(this.giveUp(session));
    }, graceMs);
    this.graceTimers.add(timer);
  }

  /** A worker without a stream, for the list. */
  async enter(profile: WorkerProfile): Promise<void> {
    await this.store.connect(profile, randomUUID(), this.replicaId);
  }

  credit(session: WorkerSession, slots: number): void {
    session.credit = Math.min(session.profile.slots, session.credit + slots);
    this.groups.of(session).wake();
  }

  /** The worker wants no more tasks. */
  async drained(session: WorkerSession): Promise<void> {
    session.draining = true;
    await this.tellStates();
  }

  /** Back to their queues, unless they are being cancelled: then they end as their client asked. */
  async reject(session: WorkerSession, leases: Lease[]): Promise<void> {
    for (const { lease_token } of leases) session.held.delete(lease_token);
    // What they have kept goes before: later their leases are gone.
    await session.reported;
    const settled = await this.engine.release(leases);
    const refused = leases.filter((_, index) => settled[index] === 'lost');
    if (refused.length) await this.engine.complete(refused.map((lease) => ({ ...lease, result: undefined })));
  }

  /** `leases`: all that the worker runs. What it does not name two heartbeats after it was sent goes back to its queue. */
  beat(session: WorkerSession, leases: Lease[]): BeatAck {
    session.lastBeatAt = performance.now();
    const listed = new Set(leases.map(({ lease_token }) => lease_token));
    const unknown = leases.filter(({ lease_token }) => !session.held.has(lease_token));
    const ack: BeatAck = { ok: 0, lost: unknown.map(toWorkerLease), cancel: [] };
    const forgotten: Lease[] = [];
    const longAgo = session.lastBeatAt - 2 * leaseTimes(this.leaseSeconds).heartbeat_ms;
    for (const [token, held] of session.held) {
      if (listed.has(token)) {
        if (held.state === 'lost') ack.lost.push(toWorkerLease(held.lease));
        else ack.ok += 1;
        if (held.state === 'cancelling') ack.cancel.push(toWorkerLease(held.lease));
      } else if (held.state === 'lost') {
        session.held.delete(token);
      } else if (!held.settling && held.assignedAt < longAgo) {
        forgotten.push(held.lease);
      }
    }
    if (forgotten.length) void this.quietly(this.reject(session, forgotten));
    return ack;
  }

  /** Stores what a worker says of its attempts; `session.reported` is when all of it is stored. */
  report(session: WorkerSession, reports: Progress[], lines: LogLine[]): void {
    const stored = [...reports.map((report) => this.progress.add(report)), ...lines.map((line) => this.logs.add(line))];
    session.reported = Promise.allSettled([session.reported, ...stored]).then((results) => {
      for (const result of results)
        if (result.status === 'rejected') this.logger.warn(`What a worker reported was not stored: ${String(result.reason)}`);
    });
  }

  /** A result, and on the same way the next tasks for whoever has room. */
  async complete(session: WorkerSession, lease: Lease, result: Completion['result']): Promise<{ status: string; message?: string }> {
    session.settle([lease.lease_token]);
    try {
      const status = await this.groups.of(session).complete({ ...lease, result });
      session.held.delete(lease.lease_token);
      return { status };
    } catch (error) {
      if (!isDataError(error as object)) throw error;
      const message = `The database refused the result: ${(error as Error).message}.`;
      await this.failures.add(notStorable(lease, message));
      session.held.delete(lease.lease_token);
      return { status: 'refused', message };
    }
  }

  async fail(session: WorkerSession, failure: Failure): Promise<{ status: string }> {
    session.settle([failure.lease_token]);
    const status = await this.failures.add(failure);
    session.held.delete(failure.lease_token);
    return { status };
  }

  private every(milliseconds: number, run: () => void): void {
    this.timers.push(setInterval(run, milliseconds).unref());
  }

  /** The same worker has connected again. What was on the way to it when its stream broke, and it does not list, it never got. */
  private replace(before: WorkerSession, listed: Set<string>): void {
    this.sessions.delete(before.profile.id);
    this.groups.leave(before);
    const missed = [...before.held.values()]
      .filter(({ lease, settling }) => !settling && !listed.has(lease.lease_token))
      .map(({ lease }) => lease);
    if (missed.length) void this.quietly(this.reject(before, missed));
    if (before.connected)
      before.end(new CodedError('CONFLICT', 'The same worker has connected again; each process needs an instance of its own.'));
  }

  /** One statement for all leases of this replica; tells attempts that are to stop, and those whose lease is gone. */
  private async renewLeases(): Promise<void> {
    const sessions = [...this.sessions.values()].filter((session) => session.connected && session.silentMs < this.leaseSeconds * 1_000);
    const renewals = sessions.flatMap((session) => session.leases().map((lease) => ({ session, lease })));
    if (!renewals.length) return;
    const askedAt = performance.now();
    try {
      const states = await this.engine.heartbeat(
        renewals.map(({ lease }) => lease),
        this.leaseSeconds,
      );
      const cancelled = new Map<WorkerSession, Lease[]>();
      renewals.forEach(({ session, lease }, index) => {
        const held = session.held.get(lease.lease_token);
        const state = states[index]!;
        if (!held || held.settling) return;
        if (state === 'cancelling' && held.state !== 'cancelling') cancelled.set(session, [...(cancelled.get(session) ?? []), lease]);
        held.state = state;
      });
      for (const session of sessions) session.heldUntil = askedAt + this.leaseSeconds * 1_000;
      for (const [session, leases] of cancelled) session.cancel(leases);
      const told = [...cancelled.values()].flat();
      if (told.length) await this.engine.deliverCancel(told);
    } catch (error) {
      this.logger.warn(`The leases of workers were not renewed; it is tried again: ${String(error)}`);
      this.dropOverdue(sessions);
    }
  }

  /** Cut off from the database: what may have been given to somebody else by now must not go on. */
  private dropOverdue(sessions: WorkerSession[]): void {
    const nextRenewal = performance.now() + (this.leaseSeconds * 1_000) / 3;
    for (const session of sessions) {
      if (session.heldUntil < nextRenewal) for (const held of session.held.values()) held.state = 'lost';
    }
  }

  /** Workers that say nothing any more: their stream may be open, but their tasks run elsewhere. */
  private giveUpSilent(): void {
    for (const session of this.sessions.values()) {
      if (!session.connected || session.silentMs < this.leaseSeconds * 1_000) continue;
      this.logger.warn(`The worker ${session.profile.id} has said nothing for ${this.leaseSeconds} s; its tasks run elsewhere.`);
      session.end(new CodedError('UNAVAILABLE', `Nothing was heard of this worker for ${this.leaseSeconds} seconds. Connect again.`));
      this.groups.leave(session);
      void this.quietly(this.giveUp(session));
    }
  }

  private async giveUp(session: WorkerSession): Promise<void> {
    if (this.sessions.get(session.profile.id) !== session) return;
    this.sessions.delete(session.profile.id);
    // It may have come back to another replica, with its leases.
    if (!(await this.store.isCurrent(session.id))) return;
    const leases = session.leases();
    if (leases.length) {
      const { ENGINE_MAX_RESCUES, ENGINE_CANCEL_GRACE_SECONDS } = this.settings;
      await this.engine.loseLeases(leases, {
        max_rescues: ENGINE_MAX_RESCUES,
        cancel_grace_seconds: ENGINE_CANCEL_GRACE_SECONDS,
        limit: 500,
      });
    }
    await this.store.leave(session.id);
  }

  private async tellStates(): Promise<void> {
    const connected = [...this.sessions.values()].filter(({ connected: there }) => there);
    if (!connected.length) return;
    await this.quietly(
      this.store.beat(
        connected.map((session) => ({
          session: session.id,
          silent_seconds: session.silentMs / 1_000,
          in_flight: session.held.size,
          state: session.draining ? 'draining' : 'connected',
        })),
      ),
    );
  }

  /** Somebody asked for something, perhaps of a worker of ours. */
  private async obey(): Promise<void> {
    if (!this.sessions.size) return;
    const commands = await this.store.commands(this.replicaId).catch(() => []);
    for (const { session: id, command } of commands) {
      const session = [...this.sessions.values()].find((candidate) => candidate.id === id);
      if (!session) continue;
      if (command === 'drain') {
        session.drain('Somebody asked the server to drain this worker.');
      } else {
        const leases = session.leases();
        session.end(new CodedError('CONFLICT', 'Somebody asked the server to disconnect this worker.'));
        session.held.clear();
        this.disconnected(session);
        await this.quietly(this.engine.release(leases));
      }
    }
    await this.tellStates();
  }

  private allDrained(sessions: WorkerSession[], graceMs: number, hurry: AbortSignal | undefined): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const isDrained = () => hurry?.aborted || sessions.every((session) => !session.connected || !session.held.size);
    const check = setInterval(() => isDrained() && resolve(), 50);
    const limit = setTimeout(resolve, isDrained() ? 0 : graceMs);
    return promise.finally(() => {
      clearInterval(check);
      clearTimeout(limit);
    });
  }

  private quietly(work: Promise<unknown>): Promise<unknown> {
    return work.catch((error: unknown) => this.logger.warn(`A statement about workers failed: ${String(error)}`));
  }
}
