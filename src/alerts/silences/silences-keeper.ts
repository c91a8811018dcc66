import { Inject, Injectable, Logger } from '@nestjs/common';
import { Leader } from '../../engine/leader.js';
import { Keeper } from '../../engine/loops/keeper.js';
import type { Duty } from '../../engine/loops/loop.js';
import { SETTINGS, type Settings } from '../../settings.js';
import { AlertsService } from '../alerts.service.js';
import { FlowService } from '../flow/flow.service.js';
import type { Silence } from './silence.js';
import { SilencesStore } from './silences.store.js';

const batch = 500;
const warnMs = 30_000;
const pruneMs = 600_000;

/** The leader's duties with silences: who ends soon is warned of, and what is old leaves. */
@Injectable()
export class SilencesKeeper extends Keeper {
  constructor(
    @Inject(SETTINGS) settings: Settings,
    leader: Leader,
    private readonly store: SilencesStore,
    private readonly flow: FlowService,
    private readonly alerts: AlertsService,
  ) {
    super(leader, new Logger('AlertSilences'));
    const duties: Duty[] = [
      { name: 'pruner of silences', intervalMs: pruneMs, run: () => this.store.prune(settings.ALERTS_RETENTION_DAYS, batch) },
      { name: 'warning before silences end', intervalMs: warnMs, run: () => this.warn(settings.ALERTS_SILENCE_WARN_MINUTES) },
    ];
    this.keep(duties);
  }

  /** Once for each silence that mutes something when its end is near. */
  async warn(minutes: number): Promise<boolean> {
    if (minutes === 0) return false;
    for (const { tenant_id, ...silence } of await this.store.ending(minutes)) {
      const muted = await this.flow.mutedBy(tenant_id, silence.id);
      if (muted === 0) continue;
      // Raised before it is noted: told twice is the same alert, and never told is a surprise.
      await this.raise(tenant_id, silence, muted);
      await this.store.warned(tenant_id, silence.id);
    }
    return false;
  }

  private async raise(tenant_id: string, { id, author, comment, ends_at }: Silence, muted: number): Promise<void> {
    const principal = { tenant_id, role: 'root', name: 'silence' } as const;
    await this.alerts.create(principal, {
      name: 'SilenceExpiring',
      source: 'silence',
      labels: { silence: id },
      annotations: {
        summary: `The silence of ${author} ends at ${ends_at} and still mutes ${muted} active alerts.`.slice(0, 255),
        comment: comment.slice(0, 255),
      },
      expires_in_seconds: Math.max(1, Math.ceil((Date.parse(ends_at) - Date.now()) / 1_000)),
    });
  }
}
