import type { ClientDuplexStream } from '@grpc/grpc-js';
import type { Ack, Assign, BeatAck, Hello, Welcome, WorkRequest, WorkResponse } from '../generated/arkitect/v1/worker_service.js';
import { Beats } from './beats.js';
import { maxLeases, maxWeight } from './limits.js';
import type { Runner } from './runner.js';

/** Milliseconds in which the server has to answer Hello, and to end a stream that we have ended. */
const answerMs = 10_000;

/** What a worker wants to know of its stream. */
export interface SessionListener {
  welcomed(welcome: Welcome): void;
  /** The server knew of us at this time (monotonic, milliseconds); leases last `leaseMs` from then. */
  renewed(sentAt: number, leaseMs: number): void;
  /** The server stopped attempts whose lease is not ours any more. */
  lost(count: number): void;
  /** A result could not be stored. */
  refused(taskId: string, reason: string): void;
  /** The server sends no more tasks over this stream. */
  draining(reason: string): void;
}

/** One stream from Hello to its end. What it carries belongs to the runner, and outlives it. */
export class Session {
  /** Resolves at the end of the stream: with its error, or without when both sides ended in peace. Never rejects. */
  readonly ended: Promise<unknown>;
  readonly #call: ClientDuplexStream<WorkRequest, WorkResponse>;
  readonly #runner: Runner;
  readonly #listener: SessionListener;
  readonly #slots: number;
  readonly #helloSentAt = performance.now();
  #beats: Beats | undefined;
  #leaseMs = 0;
  /** Tasks that the server may still send. */
  #credit = 0;
  /** No more tasks are wanted; the stream ends when all that runs is settled. */
  #draining = false;
  /** A beat that was sent since then, and whether it was answered: by then the server has sent all that was on its way. */
  #drainBeat: 'none' | 'sent' | 'answered' = 'none';
  #finished = false;
  #unwritten = 0;
  #flushing = false;
  #answer: NodeJS.Timeout | undefined;
  #failure: unknown;

  constructor(call: ClientDuplexStream<WorkRequest, WorkResponse>, runner: Runner, hello: Hello, listener: SessionListener) {
    this.#call = call;
    this.#runner = runner;
    this.#listener = listener;
    this.#slots = hello.slots ?? 1;
    this.ended = new Promise<unknown>((resolve) => {
      call.on('error', (error) => resolve(this.#failure ?? error));
      call.on('end', () => resolve(this.#failure));
    }).then((error) => {
      this.#stop();
      return error;
    });
    call.on('data', (response: WorkResponse) => this.#hear(response));
    this.#expectAnswer('The server did not answer Hello in time.');
    this.#send({ hello });
  }

  get isWelcome(): boolean {
    return this.#beats !== undefined;
  }

  /** Takes no more tasks, and ends when all that runs is settled. */
  drain(reason: string): void {
    if (this.#draining) return;
    this.#draining = true;
    if (this.isWelcome && !this.#finished) this.#send({ drain: { reason } });
    this.#beats?.want();
  }

  /** Ends the stream at once. */
  cut(failure?: Error): void {
    this.#failure ??= failure;
    this.#call.cancel();
  }

  #hear({ welcome, assign, beatAck, cancel, ack, drain }: WorkResponse): void {
    if (this.#failure) return;
    try {
      if (welcome) this.#hearWelcome(welcome);
      if (assign) this.#hearAssign(assign);
      if (beatAck) this.#hearBeatAck(beatAck);
      if (cancel) this.#runner.cancel(cancel.leases);
      if (ack) this.#hearAck(ack);
      if (drain) {
        this.#draining = true;
        this.#listener.draining(drain.reason);
        this.#beats?.want();
      }
    } catch (error) {
      // A server that we do not understand must not end the process.
      this.cut(error as Error);
    }
  }

  #hearWelcome(welcome: Welcome): void {
    clearTimeout(this.#answer);
    this.#leaseMs = welcome.leaseMs;
    this.#runner.repeat();
    const lost = this.#runner.drop(welcome.revoked);
    this.#beats = new Beats(
      { due: () => this.#wantFlush(), unanswered: () => this.cut(new Error('The server did not answer a beat in time.')) },
      welcome.heartbeatMs,
      welcome.leaseMs,
    );
    this.#listener.renewed(this.#helloSentAt, welcome.leaseMs);
    this.#listener.welcomed(welcome);
    if (lost > 0) this.#listener.lost(lost);
    this.#runner.listen({ changed: () => this.#wantFlush(), reported: () => this.#beats?.wantSoon() });
    if (this.#draining) this.#send({ drain: { reason: 'The worker is stopping.' } });
    this.#wantFlush();
  }

  #hearAssign({ tasks }: Assign): void {
    this.#credit = Math.max(0, this.#credit - tasks.length);
    for (const assignment of tasks) this.#runner.begin(assignment);
  }

  #hearBeatAck({ lost, cancel }: BeatAck): void {
    const sentAt = this.#beats?.answered();
    if (this.#drainBeat === 'sent') this.#drainBeat = 'answered';
    if (sentAt !== undefined) this.#listener.renewed(sentAt, this.#leaseMs);
    if (lost.length > 0) {
      const count = this.#runner.drop(lost);
      if (count > 0) this.#listener.lost(count);
    }
    this.#runner.cancel(cancel);
    if (this.#draining) this.#wantFlush();
  }

  #hearAck({ settleId, settled }: Ack): void {
    for (const { taskId, status, message } of settled) if (status === 'refused') this.#listener.refused(taskId, message ?? '');
    this.#runner.acknowledge(settleId);
  }

  /** What comes up in one turn of the event loop goes out together; what comes up while it is written, after that. */
  #wantFlush(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => {
      this.#flushing = false;
      this.#flush();
    });
  }

  /** Sends what waits, in the order in which the server must hear it: a result ends all that can be said of its attempt. */
  #flush(): void {
    if (!this.isWelcome || this.#finished || this.#unwritten > 0) return;
    const { outbox } = this.#runner;
    const lines = outbox.takeLines();
    if (lines.length > 0) this.#send({ log: { lines } });
    // More than one message holds: results may have to wait for lines of their own.
    if (outbox.hasLines) return;
    if (outbox.needsReport) this.#beats?.want();
    if (this.#beats?.isDue) this.#sendBeat();
    const rejected = outbox.takeRejected();
    if (rejected.length > 0) this.#send({ reject: { leases: rejected } });
    const settle = outbox.takeSettle();
    const credit = this.#room();
    this.#credit += credit;
    if (settle) this.#send({ settle: credit > 0 ? { ...settle, credit } : settle });
    else if (credit > 0) this.#send({ credit: { slots: credit } });
    this.#runner.flushed();
    if (this.#drainBeat === 'answered' && this.#runner.isQuiet) this.#finish();
  }

  #room(): number {
    if (this.#draining) return 0;
    const { occupied, outbox } = this.#runner;
    return Math.max(0, Math.min(this.#slots, maxLeases - outbox.unacknowledged) - occupied - this.#credit);
  }

  /** Lists all that is to be kept alive. What it says of them beside that has its bounds; the rest goes with the next one. */
  #sendBeat(): void {
    let weight = 0;
    // What is over comes first: its end waits for it.
    const leases = this.#runner.held().map(({ lease, report }) => {
      weight += report.weight;
      return weight > maxWeight && weight > report.weight ? { lease } : report.take(lease);
    });
    if (this.#draining && this.#drainBeat === 'none') this.#drainBeat = 'sent';
    this.#beats?.sent();
    this.#send({ beat: { leases } });
  }

  #finish(): void {
    this.#finished = true;
    this.#expectAnswer('The server did not end the stream in time.');
    this.#call.end();
  }

  #send(request: WorkRequest): void {
    this.#unwritten += 1;
    this.#call.write(request, () => {
      this.#unwritten -= 1;
      if (this.#unwritten === 0) this.#wantFlush();
    });
  }

  #expectAnswer(message: string): void {
    this.#answer = setTimeout(() => this.cut(new Error(message)), answerMs);
  }

  #stop(): void {
    this.#finished = true;
    clearTimeout(this.#answer);
    this.#beats?.stop();
    this.#runner.listen(undefined);
  }
}
