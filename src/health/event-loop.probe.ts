import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import type { HealthProbe, ProbeResult } from './health-probe.js';

/** Finer, its timer would be most of what an idle replica does. */
const resolutionMs = 100;
const windowMs = 5_000;

/** How late timers run here: the p99 of the last five seconds. Degraded above 200 ms, down above 2 s. */
@Injectable()
export class EventLoopProbe implements HealthProbe, OnModuleDestroy {
  readonly name = 'event_loop';
  private readonly histogram = monitorEventLoopDelay({ resolution: resolutionMs });
  private readonly timer: NodeJS.Timeout;
  private lastWindowMs: number | undefined;

  constructor() {
    this.histogram.enable();
    this.timer = setInterval(() => {
      this.lastWindowMs = this.p99();
      this.histogram.reset();
    }, windowMs).unref();
  }

  async check(): Promise<ProbeResult> {
    return judgeLag(Math.max(this.lastWindowMs ?? 0, this.p99()));
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
    this.histogram.disable();
  }

  /** Milliseconds beyond the sampling interval, which every sample contains. */
  private p99(): number {
    return this.histogram.count === 0 ? 0 : Math.max(0, this.histogram.percentile(99) / 1e6 - resolutionMs);
  }
}

export function judgeLag(lagMs: number): ProbeResult {
  const status = lagMs > 2_000 ? 'down' : lagMs > 200 ? 'degraded' : 'up';
  return { status, detail: `Timers run up to ${Math.round(lagMs)} ms late.` };
}
