import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { Principal } from '../auth/principal.js';
import type { Lease } from '../engine/task-row.js';
import { validateInput } from '../input/validate.js';
import { CodedError } from '../errors/coded-error.js';
import { serverVersion } from '../version.js';
import type { SettledTask, WorkerLease } from './worker.js';
import { leaseTimes, notStorable, resultProblem, toFailure, toLease, toLogLine, toProfile, toProgress } from './worker-messages.js';
import type { WorkerPool } from './worker-pool.js';
import { toWorkerLease, type ServerMessage, type WorkerLink, type WorkerSession } from './worker-session.js';
import { BeatDto, CreditRpc, HelloRpc, LeasesRpc, LogDto, SettleRpc } from './workers.dto.js';
import type { CompleteItem } from './worker-items.js';

/** What a worker may have on its way into the database before its stream is read no further. */
const maxPending = 64;

/** One of its fields is set; which, says what it is. */
type WorkRequest = Record<string, unknown>;

/** The stream of one worker, from Hello to its end. */
export class WorkerStream implements WorkerLink {
  private session: WorkerSession | undefined;
  private ended = false;
  private pending = 0;
  /** Messages are taken one after the other; only results do not make those behind them wait. */
  private turn: Promise<void> = Promise.resolve();
  private readonly settling = new Set<Promise<void>>();

  constructor(
    private readonly call: ServerDuplexStream<unknown, unknown>,
    private readonly principal: Principal,
    private readonly pool: WorkerPool,
    /** Ends the call with the status of an error. */
    private readonly failCall: (error: unknown) => void,
  ) {}

  run(): void {
    this.call.on('data', (message: WorkRequest) => this.receive(message));
    this.call.on('end', () => void this.finish());
    for (const event of ['cancelled', 'close', 'error'] as const) this.call.on(event, () => this.leave());
  }

  send(message: ServerMessage | Record<string, unknown>): void {
    if (!this.ended) this.call.write(message);
  }

  end(error?: CodedError): void {
    if (this.ended) return;
    this.ended = true;
    if (error) this.failCall(error);
    else this.call.end();
  }

  private receive(message: WorkRequest): void {
    this.begin();
    this.turn = this.turn
      .then(() => (this.ended ? undefined : this.take(message)))
      .catch((error: unknown) => this.refuse(error))
      .finally(() => this.taken());
  }

  private begin(): void {
    this.pending += 1;
    if (this.pending >= maxPending && !this.call.isPaused()) this.call.pause();
  }

  private taken(): void {
    this.pending -= 1;
    if (this.pending < maxPending && this.call.isPaused()) this.call.resume();
  }

  private refuse(error: unknown): void {
    if (this.ended) return;
    this.ended = true;
    this.failCall(error);
    this.leave();
  }

  /** The worker has said everything; its results are stored and acknowledged before the stream ends. */
  private async finish(): Promise<void> {
    await this.turn;
    await Promise.all(this.settling);
    this.end();
    this.leave();
  }

  private leave(): void {
    this.ended = true;
    if (!this.session) return;
    this.pool.disconnected(this.session);
    this.session = undefined;
  }

  private async take(message: WorkRequest): Promise<void> {
    const [kind = 'nothing', body] = Object.entries(message)[0] ?? [];
    if (!this.session) {
      if (kind !== 'hello') throw new CodedError('MALFORMED_REQUEST', `The first message must be hello, not ${kind}.`);
      return this.hello(validateInput(HelloRpc, body));
    }
    switch (kind) {
      case 'credit':
        return this.pool.credit(this.session, validateInput(CreditRpc, body).slots);
      case 'beat':
        return this.beat(this.session, validateInput(BeatDto, body));
      case 'settle':
        return this.settle(this.session, validateInput(SettleRpc, body));
      case 'log':
        return this.pool.report(
          this.session,
          [],
          (validateInput(LogDto, body).lines ?? []).map((line) => toLogLine(this.principal.tenant_id, line)),
        );
      case 'reject':
        return this.pool.reject(this.session, this.leases(validateInput(LeasesRpc, body).leases));
      case 'drain':
        return this.pool.drained(this.session);
      default:
        throw new CodedError('MALFORMED_REQUEST', `A message of the kind ${kind} is not known here, or came twice.`);
    }
  }

  private async hello(hello: HelloRpc): Promise<void> {
    const profile = toProfile(this.principal, hello, 'grpc', hello.slots);
    const { session, confirmed, revoked } = await this.pool.connect(profile, this.leases(hello.in_flight), this);
    this.session = session;
    // It left while the database was asked.
    if (this.ended) return this.leave();
    const times = leaseTimes(this.pool.leaseSeconds);
    this.send({
      welcome: {
        worker_id: profile.id,
        ...times,
        server_version: serverVersion,
        confirmed: confirmed.map(toWorkerLease),
        revoked: revoked.map(toWorkerLease),
      },
    });
    const cancelled = confirmed.filter(({ lease_token }) => session.held.get(lease_token)?.state === 'cancelling');
    session.cancel(cancelled);
    this.pool.delivered(cancelled);
  }

  private beat(session: WorkerSession, { leases: reports = [] }: BeatDto): void {
    const { tenant_id } = this.principal;
    const told = reports.filter(({ progress, checkpoint }) => progress !== undefined || checkpoint !== undefined);
    if (told.length) {
      this.pool.report(
        session,
        told.map((report) => toProgress(tenant_id, report)),
        [],
      );
    }
    this.send({ beat_ack: this.pool.beat(session, this.leases(reports.map(({ lease }) => lease))) });
  }

  private settle(session: WorkerSession, { complete = [], fail = [], credit = 0, settle_id = 0 }: SettleRpc): void {
    const { tenant_id } = this.principal;
    const { reported } = session;
    session.settle([...complete, ...fail].map(({ lease }) => lease.lease_token));
    const store = async () => {
      // What an attempt has said goes before its end: later its lease is gone.
      await reported;
      // Room first, so that the statement that stores the results brings the next tasks.
      if (credit) session.credit = Math.min(session.profile.slots, session.credit + credit);
      const settled = await Promise.all<SettledTask>([
        ...complete.map(async (item) => ({ task_id: item.lease.task_id, ...(await this.complete(session, item)) })),
        ...fail.map(async (item) => ({ task_id: item.lease.task_id, ...(await this.pool.fail(session, toFailure(tenant_id, item))) })),
      ]);
      this.send({ ack: { settle_id, settled } });
      if (credit) this.pool.credit(session, 0);
    };
    this.begin();
    const storing = store()
      // Without its Ack the worker sends it again.
      .catch((error: unknown) => this.refuse(error))
      .finally(() => {
        this.settling.delete(storing);
        this.taken();
      });
    this.settling.add(storing);
  }

  private async complete(session: WorkerSession, { lease, result }: CompleteItem): Promise<{ status: string; message?: string }> {
    const held = toLease(this.principal.tenant_id, lease);
    const message = resultProblem(result);
    if (!message) return this.pool.complete(session, held, result);
    await this.pool.fail(session, notStorable(held, message));
    return { status: 'refused', message };
  }

  private leases(leases: WorkerLease[] = []): Lease[] {
    return leases.map((lease) => toLease(this.principal.tenant_id, lease));
  }
}
