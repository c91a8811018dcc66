import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { LogStorage } from './admin/logs/log-storage.js';
import { LogsStore } from './admin/logs/logs.store.js';
import { openDatabase, type OpenDatabase } from './database/open-database.js';
import { Engine } from './engine/engine.js';
import { Leader } from './engine/leader.js';
import { Loop, type Duty } from './engine/loops/loop.js';
import { pruner } from './engine/loops/pruner.js';
import { rescuer } from './engine/loops/rescuer.js';
import { scheduler } from './engine/loops/scheduler.js';
import { ConfigStore, type ReplicaDescription } from './config/config.store.js';
import { ConfigSync } from './config/config-sync.js';
import { textsOfOverrides } from './config/overrides.js';
import { EventLog } from './events/event-log.js';
import { EventRelay } from './events/event-relay.js';
import { onceAMinute } from './events/once-a-minute.js';
import { RedisBus } from './events/redis-bus.js';
import { RedisTransport } from './events/redis-transport.js';
import { WakeUps } from './events/wake-ups.js';
import { builtInHandlers, HandlerRegistry } from './handlers/handlers.js';
import type { ServerLogger } from './logger.js';
import type { ReplicaStatus } from './metrics/prometheus/replica-status.js';
import { Runner } from './runner/runner.js';
import { LiveSettings, sourcesOf } from './live-settings.js';
import type { Settings, SettingSources } from './settings.js';
import { AttemptSpans } from './tracing/attempt-spans.js';
import { startTracing } from './tracing/start-tracing.js';
import type { Spans } from './tracing/tracing.js';
import { runInContext } from './transport/request-context.js';
import { serverVersion } from './version.js';

/** Where settings came from, and the file that is watched for changes. */
export interface StartConfig {
  sources: SettingSources;
  envFile?: string;
}

/**
 * One replica without its doors: database, event log, engine, background duties and runner, put together by hand
 * because their order of start and stop matters.
 */
export class Kernel {
  readonly engine: Engine;
  readonly eventLog: EventLog;
  readonly wakeUps: WakeUps;
  /** Only with `REDIS_URL`. */
  readonly redis: RedisBus | undefined;
  readonly leader: Leader;
  readonly handlers: HandlerRegistry;
  readonly runner: Runner;
  /** What holds now. */
  readonly settings: Settings;
  readonly config: ConfigSync;
  readonly logs: LogStorage;
  private readonly loops: Loop[];
  private readonly attemptSpans: AttemptSpans | undefined;

  private constructor(
    readonly live: LiveSettings,
    readonly configStore: ConfigStore,
    makeSync: (kernel: Kernel) => ConfigSync,
    private readonly open: OpenDatabase,
    readonly replicaId: string,
    readonly logger: ServerLogger,
    /** Only while traces are exported. */
    readonly spans: Spans | undefined,
  ) {
    const { database } = open;
    const settings = (this.settings = live.values);
    const warn = (message: string) => (error: unknown) => logger.warn({ err: error }, message);
    this.handlers = new HandlerRegistry(builtInHandlers(settings));
    this.redis = settings.REDIS_URL ? connectRedis(settings.REDIS_URL, replicaId, logger) : undefined;
    this.wakeUps = new WakeUps(
      database,
      replicaId,
      warn('Wake-ups between replicas are interrupted; polling goes on'),
      this.redis && new RedisTransport(this.redis),
    );
    const relay =
      this.redis &&
      new EventRelay(
        this.redis,
        () => this.leader.isLeader,
        onceAMinute<void>(() =>
          logger.warn('A message in Redis is not a batch of events and was ignored: somebody else writes to our channel'),
        ),
      );
    this.eventLog = new EventLog(database, this.wakeUps, warn('The event log could not be read; it is tried again'), relay);
    this.engine = new Engine(database, this.wakeUps);
    this.attemptSpans = spans && new AttemptSpans(spans);
    this.engine.attempts = this.attemptSpans;
    this.leader = new Leader(database, warn('The connection of the leader election broke'));
    this.logs = new LogStorage(logger.tap, new LogsStore(database), this.wakeUps, replicaId, settings, (message) => logger.warn(message));
    live.onChange(['LOGS_STORED_PER_SECOND'], () => this.logs.heedSettings());
    this.runner = new Runner(this.engine, this.handlers, this.wakeUps, {
      workerId: replicaId,
      get slots() {
        return settings.RUNNER_SLOTS;
      },
      leaseSeconds: settings.ENGINE_LEASE_SECONDS,
      cancelGraceSeconds: settings.ENGINE_CANCEL_GRACE_SECONDS,
      onError: (message, error) => logger.warn({ err: error }, message),
      within: ({ id, attempt, traceparent, tracestate }, run) =>
        runInContext({ task_id: id, attempt, trace: traceparent === null ? undefined : { traceparent, tracestate } }, run),
    });
    this.engine.isPaused = () => settings.MAINTENANCE_MODE;
    const limits = () => ({ max_rescues: settings.ENGINE_MAX_RESCUES, cancel_grace_seconds: settings.ENGINE_CANCEL_GRACE_SECONDS });
    const retention = () => ({
      taskDays: settings.TASKS_RETENTION_DAYS,
      eventDays: settings.EVENTS_RETENTION_DAYS,
      idempotencyHours: settings.IDEMPOTENCY_RETENTION_HOURS,
    });
    const duties: Duty[] = [scheduler(this.engine, this.wakeUps), rescuer(this.engine, limits), pruner(database, retention)];
    this.loops = duties.map(
      (duty) =>
        new Loop(duty, this.leader, (name, error) => logger.warn({ err: error, duty: name }, `The ${name} failed; it is tried again`)),
    );
    live.onChange(['LOG_LEVEL'], () => (logger.level = settings.LOG_LEVEL));
    live.onChange(['RUNNER_SLOTS'], () => this.runner.wake());
    // Workers elsewhere wait for the same hint.
    live.onChange(['MAINTENANCE_MODE'], () => this.wakeUps.signal('queued'));
    this.config = makeSync(this);
  }

  /** Opens the database and starts everything but the runner, so that nothing runs before the doors are open. */
  static async start(start: Settings, logger: ServerLogger, config: StartConfig = { sources: sourcesOf(start) }): Promise<Kernel> {
    const replicaId = `${hostname().slice(0, 40)}-${process.pid}-${randomUUID().slice(0, 8)}`;
    const log = { info: (line: string) => logger.info(line), warn: (line: string) => logger.warn(line) };
    const open = await openDatabase(start, log);
    const kernel = await Kernel.of(open, replicaId, config, logger).catch(async (error: unknown) => {
      await open.close();
      throw error;
    });
    return kernel.begin();
  }

  /** With the settings that hold by what the database says, too. */
  private static async of(open: OpenDatabase, replicaId: string, { sources, envFile }: StartConfig, logger: ServerLogger): Promise<Kernel> {
    const store = new ConfigStore(open.database);
    const current = await store.current();
    const live = new LiveSettings({ ...sources, overrides: textsOfOverrides(current.overrides) });
    logger.level = live.values.LOG_LEVEL;
    const onProblem = onceAMinute((message: string) => logger.warn(`Traces are not exported just now: ${message}`));
    const spans = await startTracing(live.values, { version: serverVersion, replicaId, onProblem });
    const log = { info: (line: string) => logger.info(line), warn: (line: string) => logger.warn(line) };
    const makeSync = ({ wakeUps, leader }: Kernel) =>
      new ConfigSync(store, live, wakeUps, replicaId, () => describeReplica(leader), current, envFile, log);
    return new Kernel(live, store, makeSync, open, replicaId, logger, spans);
  }

  private async begin(): Promise<this> {
    try {
      await this.wakeUps.start();
      await this.redis?.start(this.database);
      await this.eventLog.start();
      await this.leader.start();
      await this.config.start();
      // Whoever looks for the leader finds it by what it says of itself.
      this.leader.onChange = () => void this.config.refresh();
      this.logs.start();
      // What an earlier run of this server left running goes on now, not when its leases would have ended.
      if (this.open.exclusive) await this.engine.expireLeases();
      for (const loop of this.loops) loop.start();
      return this;
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  get status(): ReplicaStatus {
    const { leader, runner, loops } = this;
    return {
      get isLeader() {
        return leader.isLeader;
      },
      get runner() {
        return runner.load;
      },
      get duties() {
        return Object.fromEntries(loops.map(({ name, lastSuccessAt }) => [name, lastSuccessAt]));
      },
    };
  }

  get database() {
    return this.open.database;
  }

  /** Resolves with a sentence when the embedded database ends by itself. */
  get failed(): Promise<string> {
    return this.open.failed;
  }

  /** Stops claiming, lets attempts finish for the set time, hands back the rest. */
  async stopRunner(hurry?: AbortSignal): Promise<void> {
    await this.runner.stop(this.settings.ENGINE_SHUTDOWN_SECONDS * 1_000, hurry);
  }

  async close(): Promise<void> {
    await Promise.all(this.loops.map((loop) => loop.stop()));
    await this.config.stop();
    await this.leader.stop();
    await this.eventLog.stop();
    await this.logs.stop();
    await this.wakeUps.stop();
    await this.redis?.close();
    this.attemptSpans?.stop();
    await this.spans?.stop();
    await this.open.close();
  }
}

const startedAt = new Date(Date.now() - performance.now()).toISOString();

function describeReplica({ leadingSince }: Leader): ReplicaDescription {
  return { started_at: startedAt, version: serverVersion, host: hostname(), pid: process.pid, leading_since: leadingSince };
}

function connectRedis(url: string, replicaId: string, logger: ServerLogger): RedisBus {
  const redis = new RedisBus(
    url,
    replicaId,
    // The message alone: the error of a refused AUTH carries the password.
    onceAMinute((error: Error) => logger.warn(`Redis cannot be used just now; it is tried again: ${error.message}`)),
  );
  redis.onChange((connected) => {
    if (connected) logger.info('Redis carries events and wake-ups between the replicas');
    else logger.warn('Redis is away; events and wake-ups go by the database');
  });
  return redis;
}
