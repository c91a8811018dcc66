import { Inject, Injectable, Logger, ServiceUnavailableException } from '@nestjs/common';
import { HealthCheckService, HealthIndicatorService, type HealthCheckResult, type HealthIndicatorResult } from '@nestjs/terminus';
import { EventLoopProbe } from './event-loop.probe.js';
import { HEALTH_PROBES, type HealthProbe, type ProbeResult } from './health-probe.js';
import { Lifecycle } from './lifecycle.js';

/** What one dependency says of itself, and how long that took. */
export interface Dependency {
  name: string;
  status: ProbeResult['status'];
  latency_ms: number;
  /** Null when there is nothing to say. May name hosts and accounts: not for everybody. */
  reason: string | null;
}

/** Terminus' own answer and the names of what is degraded. */
export type HealthReport = HealthCheckResult & { degraded: string[] };

const limitMs = 2_000;

@Injectable()
export class HealthService {
  private readonly logger = new Logger('Health');
  private readonly probes: HealthProbe[];
  private running: Promise<HealthReport> | undefined;
  private looking: Promise<Dependency[]> | undefined;

  constructor(
    private readonly terminus: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    private readonly lifecycle: Lifecycle,
    eventLoop: EventLoopProbe,
    @Inject(HEALTH_PROBES) probes: HealthProbe[],
  ) {
    this.probes = [eventLoop, ...probes];
  }

  /** Whether this process should be restarted: it should not as long as it can answer. */
  live(): Promise<HealthReport> {
    return this.report([]);
  }

  startup(): Promise<HealthReport> {
    return this.report([async () => this.lifecycleResult(this.lifecycle.state === 'starting' ? 'down' : 'up')]);
  }

  /** Whether traffic should come here. Callers that ask at the same time share one round of checks, as anybody may ask. */
  ready(): Promise<HealthReport> {
    this.running ??= this.report([
      async () => this.lifecycleResult(this.lifecycle.state === 'ready' ? 'up' : 'down'),
      ...this.probes.map((probe) => () => this.ask(probe)),
    ]).finally(() => (this.running = undefined));
    return this.running;
  }

  /** All that readiness asks, with latency and reason. Callers that ask at the same time share one round of checks. */
  dependencies(): Promise<Dependency[]> {
    this.looking ??= Promise.all(this.probes.map(timed))
      .then((dependencies) => [this.lifecycleDependency(), ...dependencies])
      .finally(() => (this.looking = undefined));
    return this.looking;
  }

  private lifecycleDependency(): Dependency {
    const { state } = this.lifecycle;
    return { name: 'lifecycle', status: state === 'ready' ? 'up' : 'down', latency_ms: 0, reason: `This replica is ${state}.` };
  }

  private async report(checks: (() => Promise<HealthIndicatorResult>)[]): Promise<HealthReport> {
    const result = await this.terminus.check(checks).catch((error: unknown) => {
      if (error instanceof ServiceUnavailableException) return error.getResponse() as HealthCheckResult;
      throw error;
    });
    const degraded = Object.entries(result.details)
      .filter(([, { status }]) => status === 'degraded')
      .map(([name]) => name);
    return { ...result, degraded };
  }

  private lifecycleResult(status: 'up' | 'down'): HealthIndicatorResult {
    return this.indicate('lifecycle', status, { state: this.lifecycle.state });
  }

  private async ask(probe: HealthProbe): Promise<HealthIndicatorResult> {
    const { status, detail } = await within(limitMs, probe).catch((error: unknown): ProbeResult => {
      // The message may name hosts and accounts, which is for the log alone.
      this.logger.warn(`The check of ${probe.name} failed: ${error instanceof Error ? error.message : String(error)}`);
      return { status: 'down', detail: 'The check failed; the log says why.' };
    });
    return this.indicate(probe.name, status, detail === undefined ? {} : { message: detail });
  }

  private indicate(name: string, status: ProbeResult['status'], data: Record<string, string>): HealthIndicatorResult {
    const indicator = this.indicators.check(name);
    if (status === 'up') return indicator.up(data);
    return status === 'degraded' ? indicator.degraded(data) : indicator.down(data);
  }
}

async function timed(probe: HealthProbe): Promise<Dependency> {
  const begun = performance.now();
  const { status, detail } = await within(limitMs, probe).catch((error: unknown): ProbeResult => ({
    status: 'down',
    detail: error instanceof Error ? error.message || error.name : String(error),
  }));
  return { name: probe.name, status, latency_ms: Math.round((performance.now() - begun) * 1e3) / 1e3, reason: detail ?? null };
}

async function within(milliseconds: number, probe: HealthProbe): Promise<ProbeResult> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<ProbeResult>((resolve) => {
    timer = setTimeout(() => resolve({ status: 'down', detail: `No answer within ${milliseconds / 1000} s.` }), milliseconds);
  });
  try {
    return await Promise.race([probe.check(), late]);
  } finally {
    clearTimeout(timer);
  }
}
