import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Leader } from '../engine/leader.js';
import { WakeUps } from '../events/wake-ups.js';
import { onceAMinute } from '../events/once-a-minute.js';
import { LiveSettings } from '../live-settings.js';
import { SETTINGS, type Settings } from '../settings.js';
import { REPLICA_ID } from '../workers/workers.tokens.js';
import { ClusterObserver } from './cluster/cluster-observer.js';
import { ClusterStore } from './cluster/cluster.store.js';
import { TaskCounts } from './counts/task-counts.js';
import { HistoryStore } from './history/history.store.js';
import { steps, type Sample } from './history/series.js';
import { OwnSampler } from './system/own-sampler.js';
import type { ClusterSnapshot } from './cluster/snapshot.js';
import type { ReplicaSample } from './system/replica-sample.js';

/** While nothing happens samples are taken for the history alone. */
const idleMs = steps.sample * 1_000;
/** Counted at least this often: a hint may be lost, and retention gives none. */
const countMs = 60_000;
const maintainMs = 60_000;
const reconcileMs = 3_600_000;
const pruneBatch = 10_000;

/**
 * Takes samples, every METRICS_INTERVAL_SECONDS: of itself on every replica, and on the leader of the whole cluster, once for all who
 * want to know. Every ten seconds they go into the history.
 */
@Injectable()
export class MetricsSampler implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly warn = onceAMinute((error: Error) => this.logger.warn(`Metrics were not taken; it is tried again: ${error.message}`));
  private readonly logger = new Logger('Metrics');
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private stopped = false;
  /** Something has happened since the last look. */
  private changed = true;
  private keptAt = 0;
  private countedAt = 0;
  private maintainedAt = 0;
  private reconciledAt = 0;
  /** Seconds that the database took to keep the latest sample; null when it did not. */
  private latency: number | null = null;
  /** As JSON; undefined while another replica may have kept one. */
  private keptSnapshot: string | undefined;
  /** The latest sample of this replica. */
  own: ReplicaSample | undefined;

  constructor(
    @Inject(SETTINGS) private readonly settings: Settings,
    @Inject(REPLICA_ID) private readonly replicaId: string,
    private readonly leader: Leader,
    private readonly wakeUps: WakeUps,
    private readonly sampler: OwnSampler,
    private readonly observer: ClusterObserver,
    private readonly cluster: ClusterStore,
    private readonly history: HistoryStore,
    private readonly counts: TaskCounts,
    private readonly live: LiveSettings,
  ) {}

  onApplicationBootstrap(): void {
    if (this.settings.METRICS_ENABLED === 'false') return;
    this.wakeUps.on('events', () => (this.changed = true));
    this.live.onChange(['METRICS_INTERVAL_SECONDS'], () => this.hurry());
    this.schedule(0);
  }

  async onModuleDestroy(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.running;
    this.sampler.stop();
    await this.cluster.leave(this.replicaId).catch(() => undefined);
  }

  /** The interval has changed: what waits for the end of the old one looks now. */
  private hurry(): void {
    if (this.stopped || !this.timer) return;
    clearTimeout(this.timer);
    this.schedule(0);
  }

  private schedule(delayMs: number): void {
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.running = this.turn()
        .catch((error: Error) => {
          this.changed = true;
          this.warn(error);
        })
        .finally(() => this.stopped || this.schedule(this.settings.METRICS_INTERVAL_SECONDS * 1_000));
    }, delayMs);
    this.timer.unref();
  }

  private async turn(): Promise<void> {
    const now = Date.now();
    const isKept = now - this.keptAt >= idleMs - 500;
    if (!isKept && !this.changed) return;
    const own = (this.own = await this.sampler.sample(this.latency));
    const samples: Sample[] = [];
    if (isKept) {
      this.keptAt = now;
      await this.keepOwn(own);
      samples.push(...ownSamples(own, this.replicaId));
    }
    const changed = this.changed || now - this.countedAt >= countMs;
    this.changed = false;
    if (this.leader.isLeader) {
      const looked = await this.observer.look(changed);
      if (changed) this.countedAt = now;
      await this.keepSnapshot(looked.snapshot);
      this.wakeUps.signal('metrics');
      if (isKept) samples.push(...looked.samples);
    } else this.keptSnapshot = undefined;
    await this.history.add(samples, now / 1_000);
    if (this.leader.isLeader && now - this.maintainedAt >= maintainMs) {
      this.maintainedAt = now;
      await this.maintain();
    }
  }

  /** What it takes is the latency that the next sample tells. */
  private async keepOwn(sample: ReplicaSample): Promise<void> {
    this.latency = null;
    const begun = performance.now();
    await this.cluster.keepSample(this.replicaId, sample);
    this.latency = (performance.now() - begun) / 1_000;
  }

  private async keepSnapshot(snapshot: ClusterSnapshot): Promise<void> {
    // Of an idle cluster it says the same all day.
    const text = JSON.stringify(snapshot);
    if (text === this.keptSnapshot) return;
    this.keptSnapshot = undefined;
    await this.cluster.keepSnapshot(text);
    this.keptSnapshot = text;
  }

  private async maintain(): Promise<void> {
    const { METRICS_SAMPLES_HOURS, METRICS_MINUTES_DAYS, METRICS_HOURS_DAYS } = this.settings;
    while (!this.stopped && (await this.history.rollUp()));
    await this.prune(steps.sample, METRICS_SAMPLES_HOURS);
    await this.prune(steps.minute, METRICS_MINUTES_DAYS * 24);
    await this.prune(steps.hour, METRICS_HOURS_DAYS * 24);
    await this.reconcile();
  }

  /** At the beginning of a leadership, and every hour. */
  private async reconcile(): Promise<void> {
    if (Date.now() - this.reconciledAt < reconcileMs) return;
    this.reconciledAt = Date.now();
    const wrong = await this.counts.reconcile();
    if (wrong)
      this.logger.warn(
        `${wrong} numbers of tasks were wrong and have been corrected: an older version ran here, or somebody changed tasks by hand.`,
      );
  }

  private async prune(step: number, hours: number): Promise<void> {
    while (!this.stopped && (await this.history.prune(step, hours, pruneBatch)) === pruneBatch);
  }
}

/** The series of a replica. */
export function ownSamples(sample: ReplicaSample, replica: string): Sample[] {
  const { system_health: system, response_latency, database, redis_up } = sample;
  const values: Record<string, number | null> = {
    arkitect_cpu_usage: system.cpu_usage,
    arkitect_memory_usage: system.memory_usage,
    arkitect_disk_usage: system.disk_usage,
    arkitect_load1: system.load[0],
    arkitect_event_loop_lag_seconds: system.event_loop_lag,
    arkitect_process_resident_bytes: system.process.resident_bytes,
    arkitect_database_latency_seconds: database.latency,
    arkitect_database_pool_waiting: database.waiting,
    arkitect_redis_up: redis_up === null ? null : Number(redis_up),
    arkitect_websocket_connections: sample.websocket_connections,
    arkitect_grpc_streams: sample.grpc_streams,
    arkitect_response_latency_seconds_p99: response_latency.p99,
  };
  return Object.entries(values).flatMap(([metric, value]) =>
    value === null ? [] : [{ tenant_id: '', metric, labels: { replica }, value }],
  );
}
