import { randomUUIDv7 } from 'node:crypto';
import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Leader } from '../../engine/leader.js';
import { Loop } from '../../engine/loops/loop.js';
import { onceAMinute } from '../../events/once-a-minute.js';
import { WakeUps } from '../../events/wake-ups.js';
import { HistoryStore } from '../../metrics/history/history.store.js';
import { PointsStore } from '../../metrics/history/points.store.js';
import { SETTINGS, type Settings } from '../../settings.js';
import { defaultRules } from './default-rules.js';
import { sampleGapMs } from './point-windows.js';
import { RuleStatesStore } from './rule-states.store.js';
import { RulesEvaluator } from './rules-evaluator.js';

const intervalMs = 10_000;
/** Samples come every ten seconds; when they do not, somebody has to notice. */
const overdueMs = 12_000;

/** The leader's duty with rules: they are evaluated whenever samples were taken. */
@Injectable()
export class RulesKeeper implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger('AlertRules');
  private readonly warn = onceAMinute((error: Error) =>
    this.logger.warn(`Alert rules were not evaluated; it is tried again: ${error.message}`),
  );
  private readonly evaluator: RulesEvaluator;
  private readonly loop: Loop;
  private running: Promise<void> | undefined;
  private begunAt = 0;
  private hasDefaults = false;
  private stopped = false;

  constructor(
    @Inject(SETTINGS) private readonly settings: Settings,
    private readonly leader: Leader,
    private readonly store: RuleStatesStore,
    points: PointsStore,
    private readonly history: HistoryStore,
    wakeUps: WakeUps,
  ) {
    this.evaluator = new RulesEvaluator(store, points, wakeUps, () => sampleGapMs(settings));
    const duty = { name: 'evaluator of alert rules', intervalMs, run: () => this.catchUp() };
    this.loop = new Loop(duty, leader, (_name, error) => this.warn(error));
  }

  onApplicationBootstrap(): void {
    if (this.settings.METRICS_ENABLED === 'false') return;
    this.history.onAdded(() => this.onSamples());
    this.loop.start();
  }

  async onModuleDestroy(): Promise<void> {
    this.stopped = true;
    await this.loop.stop();
    await this.running?.catch(() => undefined);
  }

  private onSamples(): void {
    if (this.stopped) return;
    if (this.leader.isLeader) void this.evaluate().catch((error: Error) => this.warn(error));
    else if (!this.running) this.evaluator.forget();
  }

  private async catchUp(): Promise<boolean> {
    if (!this.hasDefaults) {
      await this.store.createDefaults(defaultRules.map((rule) => ({ ...rule, tenant_id: 'default', id: randomUUIDv7() })));
      this.hasDefaults = true;
    }
    if (Date.now() - this.begunAt > overdueMs) await this.evaluate();
    return false;
  }

  /** One at a time: whoever comes while it runs waits for the same. */
  private evaluate(): Promise<void> {
    this.begunAt = Date.now();
    return (this.running ??= this.evaluator.evaluate(this.begunAt).finally(() => (this.running = undefined)));
  }
}
