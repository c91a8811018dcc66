import { Injectable } from '@nestjs/common';
import type { Principal } from '../../auth/principal.js';
import { AlertsService } from '../alerts.service.js';
import { FlowService } from '../flow/flow.service.js';
import { matchesAll, type Matcher } from '../matchers.js';
import { identityOf, toNewAlert } from './posted-alert.js';
import type { PostedAlert } from './read.js';
import { shownAlert, type ListedAlert } from './show.js';

/** Alerts of others, as Alertmanager takes and lists them. */
@Injectable()
export class AlertsInbox {
  constructor(
    private readonly alerts: AlertsService,
    private readonly flow: FlowService,
  ) {}

  /** Of two with the same labels the later one counts. */
  async receive({ tenant_id, name }: Principal, posted: PostedAlert[]): Promise<void> {
    const now = Date.now();
    const latest = new Map(posted.map((alert) => [identityOf(alert.labels), alert]));
    const isOver = ({ endsAt }: PostedAlert) => endsAt !== undefined && Date.parse(endsAt) <= now;
    const over = [...latest].filter(([, alert]) => isOver(alert)).map(([identity]) => identity);
    const active = [...latest.values()].filter((alert) => !isOver(alert)).map((alert) => toNewAlert(tenant_id, name, alert, now));
    await this.alerts.exchange(tenant_id, active, over, name);
  }

  /** Active ones that match all of `matchers`. */
  async list({ tenant_id }: Principal, matchers: Matcher[]): Promise<ListedAlert[]> {
    const alerts = await this.alerts.active(tenant_id);
    const ways = await this.flow.ways(tenant_id, alerts);
    const listed = alerts.map((alert, index) => ({ alert, ...ways[index]! }));
    return listed.filter((one) => matchesAll(matchers, shownAlert(one, 0).labels));
  }

  /** Names of the channels that are on. */
  receivers({ tenant_id }: Principal): Promise<readonly string[]> {
    return this.flow.channels(tenant_id);
  }
}
