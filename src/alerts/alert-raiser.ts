import { Injectable } from '@nestjs/common';
import { AlertsService } from './alerts.service.js';
import { AlertRaiser } from './channels/watchdog.js';

/** Longer than between two looks of whoever raises: what is not repeated is over. */
const expiresInSeconds = 180;

/** Alerts of the server about itself. */
@Injectable()
export class OwnAlertRaiser extends AlertRaiser {
  constructor(private readonly alerts: AlertsService) {
    super();
  }

  async raise({ tenant_id, ...alert }: Parameters<AlertRaiser['raise']>[0]): Promise<void> {
    const principal = { tenant_id, role: 'root', name: 'watchdog' } as const;
    await this.alerts.create(principal, { ...alert, source: 'watchdog', expires_in_seconds: expiresInSeconds });
  }
}
