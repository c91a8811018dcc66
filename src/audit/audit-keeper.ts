import { Inject, Injectable, Logger } from '@nestjs/common';
import { AlertRaiser } from '../alerts/alert-raiser.js';
import { Leader } from '../engine/leader.js';
import { Keeper } from '../engine/loops/keeper.js';
import { SETTINGS, type Settings } from '../settings.js';
import type { ChainPoint } from './audit-record.js';
import { AuditService } from './audit.service.js';
import { AuditStore } from './audit.store.js';

const hourMs = 3_600_000;
const batch = 1_000;
/** A broken log stays broken; the alert is repeated for as long as this replica knows of it. */
const raiseMs = 60_000;

/** The leader's duties with the audit log: what is old leaves, and what is new is verified. */
@Injectable()
export class AuditKeeper extends Keeper {
  /** How far the log was in order. */
  private verified: ChainPoint | undefined;
  private broken: string | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly store: AuditStore,
    private readonly audit: AuditService,
    private readonly raiser: AlertRaiser,
    leader: Leader,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {
    super(leader, new Logger('Audit'));
    const duties = [
      { name: 'pruner of the audit log', intervalMs: hourMs, run: () => this.prune() },
      { name: 'check of the audit log', intervalMs: hourMs, run: () => this.check() },
    ];
    this.keep(duties);
  }

  override onApplicationBootstrap(): void {
    super.onApplicationBootstrap();
    this.timer = setInterval(() => this.raise(), raiseMs).unref();
  }

  override async onModuleDestroy(): Promise<void> {
    clearInterval(this.timer);
    await super.onModuleDestroy();
  }

  private async prune(): Promise<boolean> {
    const { AUDIT_RETENTION_DAYS } = this.settings;
    return AUDIT_RETENTION_DAYS > 0 && (await this.store.prune(AUDIT_RETENTION_DAYS, batch)) === batch;
  }

  /** What was appended since the last check. */
  private async check(): Promise<boolean> {
    const { at, problem } = await this.audit.verifyNew(this.verified);
    if (!problem) this.verified = at;
    this.broken = problem?.detail;
    if (problem) this.logger.error(`The audit log is broken: ${problem.detail}`);
    this.raise();
    return false;
  }

  private raise(): void {
    if (this.broken === undefined || !this.leader.isLeader) return;
    const annotations = { summary: `The audit log is broken: ${this.broken}`.slice(0, 255) };
    this.raiser
      .raise({ tenant_id: 'default', name: 'AuditLogBroken', severity: 'critical', source: 'audit', labels: {}, annotations })
      .catch((error: Error) => this.logger.warn(`The alert AuditLogBroken could not be raised: ${error.message}`));
  }
}
