import { Injectable } from '@nestjs/common';
import { AlertsService } from './alerts.service.js';
import { AlertRaiser, type OwnAlert } from './alert-raiser.js';

/** Longer than between two looks of whoever raises: what is not repeated is over. */
const expiresInSeconds = 180;

/** Alerts of the server about itself. */
@Injectable()
export class OwnAlertRaiser extends AlertRaiser {
  constructor(private readonly alerts: AlertsService) {
    super();
  }

  async raise({ tenant_id, ...alert }: OwnAlert): Promise<void> {
    const principal = { tenant_id, role: 'root', name: alert.source } as const;
    await this.alerts.create(principal, { ...alert, expires_in_seconds: expiresInSeconds });
  }
}
