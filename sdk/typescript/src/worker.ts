import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { status as statusCodes } from '@grpc/grpc-js';
import { WorkerServiceClient, type Hello, type Welcome } from './generated/arkitect/v1/worker_service.js';
import { Backoff, pause } from './backoff.js';
import { connectionOf, type Connection, type ConnectionOptions } from './connection.js';
import { isServiceError, toArkitectError } from './errors.js';
import type { Handler } from './handler.js';
import type { JsonObject } from './json.js';
import { version } from './version.js';
import { LeaseClock } from './worker/lease-clock.js';
import { Runner } from './worker/runner.js';
import { Session, type SessionListener } from './worker/session.js';

/** Where a worker says what happens to it; `console` is one. */
export interface WorkerLogger {
  info(message: string): void;
  warn(message: string): void;
}

/** Who a worker is and how much it does. */
export interface WorkerOptions extends ConnectionOptions {
  /** What people call it: 1 to 100 of a-z A-Z 0-9 . _ : -, beginning with a letter or digit (the host's name). */
  name?: string;
  /** Only tasks of these queues, at most 100 (all). */
  queues?: string[];
  /** Attempts that run at the same time, 1 to 10,000 (10). */
  slots?: number;
  /** About it, for people and lists; rules as of the labels of tasks (none). */
  labels?: Record<string, string>;
  /** Where it says what happens to it (console). */
  logger?: WorkerLogger;
}

/** How a worker stops. */
export interface StopOptions {
  /** Seconds in which handlers may still finish; then their signal is aborted, and what does not complete goes back to its queue (30). */
  limitSeconds?: number;
}

/** Milliseconds in which the last results may still be acknowledged when a worker stops. */
const farewellMs = 5_000;
/** Errors that the same Hello will get again. */
const finalStatuses = [statusCodes.INVALID_ARGUMENT, statusCodes.UNAUTHENTICATED, statusCodes.PERMISSION_DENIED, statusCodes.UNIMPLEMENTED];

/** Runs tasks: connects to the server, takes as many as it has slots for, and runs the handler of their type. */
export class Worker {
  readonly #options: WorkerOptions;
  readonly #connection: Connection;
  readonly #logger: WorkerLogger;
  readonly #handlers = new Map<string, Handler>();
  readonly #runner = new Runner(this.#handlers);
  readonly #leaseClock = new LeaseClock(() => this.#lost(this.#runner.dropAll()));
  readonly #instance = `${process.pid}-${randomBytes(6).toString('hex')}`;
  /** Aborted when there is no reason to connect any more. */
  readonly #done = new AbortController();
  #session: Session | undefined;
  #running: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;
  #onWelcome!: () => void;
  readonly #welcomed = new Promise<void>((resolve) => (this.#onWelcome = resolve));
  #wasWelcome = false;
  #id: string | undefined;

  constructor(options: WorkerOptions = {}) {
    const { slots = 10 } = options;
    if (!Number.isInteger(slots) || slots < 1 || slots > 10_000)
      throw new RangeError(`slots must be a whole number from 1 to 10,000, not ${slots}.`);
    this.#options = options;
    this.#connection = connectionOf(options);
    this.#logger = options.logger ?? console;
  }

  /** How the server calls it, as `workerId` of tasks; undefined until it was connected. */
  get id(): string | undefined {
    return this.#id;
  }

  /** Registers the handler of a type: a-z, 0-9 and . _ : -, at most 100 characters. All of them before the start. */
  handle<Parameters = JsonObject>(type: string, handler: Handler<Parameters>): this {
    if (this.#running) throw new Error('Handlers are registered before the worker starts.');
    if (this.#handlers.has(type)) throw new Error(`The type ${type} has a handler already.`);
    this.#handlers.set(type, handler as Handler);
    return this;
  }

  /**
   * Starts, works until SIGTERM, SIGINT or `stop`, and stops in an orderly way: resolves when all is settled or handed back.
   * A second signal ends the process at once. Rejects as `start` does.
   */
  async run(options: StopOptions = {}): Promise<void> {
    const onSignal = (signal: string): void => {
      this.#logger.info(`${signal}: the worker takes no more tasks and lets ${this.#runner.occupied} finish.`);
      void this.stop(options);
    };
    const signals = ['SIGTERM', 'SIGINT'] as const;
    for (const signal of signals) process.once(signal, onSignal);
    try {
      await this.start();
      await this.#running;
      await this.#stopping;
    } finally {
      for (const signal of signals) process.off(signal, onSignal);
    }
  }

  /**
   * Connects, and resolves when the server knows the worker; it then works until `stop`. While the server cannot be reached, it is
   * tried again. Rejects with an `ArkitectError` when the server refuses the worker for good: its token, name or types.
   */
  async start(): Promise<void> {
    if (this.#handlers.size === 0) throw new Error('A worker needs a handler: call handle(type, handler) before it starts.');
    this.#running ??= this.#stayConnected();
    await Promise.race([this.#welcomed, this.#running]);
  }

  /** Takes no more tasks, lets handlers finish, hands back what is left, and disconnects. */
  stop({ limitSeconds = 30 }: StopOptions = {}): Promise<void> {
    this.#stopping ??= this.#stop(limitSeconds);
    return this.#stopping;
  }

  async #stop(limitSeconds: number): Promise<void> {
    this.#runner.close();
    this.#session?.drain('The worker is stopping.');
    if (!this.#runner.isQuiet) {
      await within(
        limitSeconds * 1_000,
        this.#runner.until(() => this.#runner.isQuiet),
      );
      this.#runner.shutDown();
      await this.#runner.until(() => this.#runner.occupied === 0);
      await within(
        farewellMs,
        this.#runner.until(() => this.#runner.isQuiet),
      );
    }
    this.#done.abort();
    if (this.#session?.isWelcome) await within(farewellMs, this.#session.ended);
    this.#session?.cut();
    await this.#running?.catch(() => undefined);
    this.#leaseClock.stop();
  }

  /** One stream after the other, until there is no reason for another. */
  async #stayConnected(): Promise<void> {
    const backoff = new Backoff();
    while (!this.#done.signal.aborted) {
      const begunAt = performance.now();
      const error = await this.#connectOnce();
      if (this.#done.signal.aborted) return;
      if (!this.#wasWelcome && isServiceError(error) && finalStatuses.includes(error.code)) throw toArkitectError(error);
      // A server that breaks off again and again must not be asked five times a second.
      if (performance.now() - begunAt > 10_000) backoff.reset();
      const waitMs = backoff.next();
      const reason = error === undefined ? 'The server closed the stream' : `No connection to the server: ${(error as Error).message}`;
      this.#logger.warn(`${reason}; trying again in ${(waitMs / 1_000).toFixed(1)} s.`);
      await pause(waitMs, this.#done.signal);
    }
  }

  /** Answers the error that ended the stream, if any. */
  async #connectOnce(): Promise<unknown> {
    const { target, credentials, channelOptions, metadata } = this.#connection;
    // A connection of its own for each stream: no hidden waiting time, and perhaps another replica.
    const client = new WorkerServiceClient(target, credentials, { ...channelOptions, 'grpc.use_local_subchannel_pool': 1 });
    try {
      this.#session = new Session(client.work(metadata()), this.#runner, this.#hello(), this.#sessionListener());
      if (this.#stopping) this.#session.drain('The worker is stopping.');
      return await this.#session.ended;
    } finally {
      this.#session = undefined;
      client.close();
    }
  }

  #hello(): Hello {
    const { name = hostnameAsName(), queues = [], slots = 10, labels = {} } = this.#options;
    return {
      name,
      instance: this.#instance,
      types: [...this.#handlers.keys()],
      queues,
      slots,
      labels,
      sdk: `arkitect-typescript/${version}`,
      inFlight: this.#runner.held().map(({ lease }) => lease),
    };
  }

  #sessionListener(): SessionListener {
    return {
      welcomed: (welcome: Welcome) => {
        this.#id = welcome.workerId;
        this.#wasWelcome = true;
        this.#logger.info(`Connected as ${welcome.workerId}.`);
        this.#onWelcome();
      },
      renewed: (sentAt, leaseMs) => this.#leaseClock.renew(sentAt, leaseMs),
      lost: (count) => this.#lost(count),
      refused: (taskId, reason) => this.#logger.warn(`The result of task ${taskId} could not be stored: ${reason}`),
      draining: (reason) => this.#logger.info(`The server sends no more tasks over this stream: ${reason}`),
    };
  }

  #lost(count: number): void {
    if (count > 0)
      this.#logger.warn(`${count} running attempts are not this worker's any more; they are stopped and their results dropped.`);
  }
}

/** The host's name with nothing in it that the name of a worker must not have. */
function hostnameAsName(): string {
  return (
    hostname()
      .replaceAll(/[^A-Za-z0-9._:-]/g, '-')
      .replace(/^[^A-Za-z0-9]+/, '')
      .slice(0, 100) || 'worker'
  );
}

/** Resolves with the promise, or after so many milliseconds. */
async function within(ms: number, promise: Promise<unknown>): Promise<void> {
  const limit = new AbortController();
  await Promise.race([promise, pause(ms, limit.signal)]);
  limit.abort();
}
