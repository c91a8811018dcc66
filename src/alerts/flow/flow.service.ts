import { Inject, Injectable } from '@nestjs/common';
import { SETTINGS, type Settings } from '../../settings.js';
import type { Alert, Labels } from '../alert.js';
import { silencer } from '../silences/silence.js';
import { DispatchStore } from './dispatch.store.js';
import { flappingOf, type Flapping } from './flapping.js';
import { groupKey, groupLabels, labelled } from './grouping.js';
import { inhibitor } from './inhibition.js';
import { matchedLabels, routesOf, type Route } from './routing.js';

/** What keeps an alert from being told. */
export interface Muting {
  /** Ids of silences. */
  silenced_by: string[];
  /** Ids of alerts. */
  inhibited_by: string[];
}

/** One route that an alert takes. */
export interface TakenRoute {
  route: string;
  /** Names of the channels that are told. */
  channels: string[];
  group_key: string;
  group_labels: Labels;
  group_wait_seconds: number;
}

/** What becomes of an alert on its way to channels. */
export interface Way extends Muting {
  routes: TakenRoute[];
}

/** Answers as the dispatcher would decide now. */
@Injectable()
export class FlowService {
  private readonly flapping: Flapping;

  constructor(
    private readonly store: DispatchStore,
    @Inject(SETTINGS) settings: Settings,
  ) {
    this.flapping = flappingOf(settings);
  }

  async muting(tenantId: string, alert: Alert): Promise<Muting> {
    if (alert.status === 'resolved') return { silenced_by: [], inhibited_by: [] };
    const [way] = await this.ways(tenantId, [alert]);
    return { silenced_by: way!.silenced_by, inhibited_by: way!.inhibited_by };
  }

  /** How many active alerts a silence mutes now. */
  async mutedBy(tenantId: string, silenceId: string): Promise<number> {
    const { alerts, silences, now } = await this.store.read(tenantId, this.flapping);
    const isSilenced = silencer(
      silences.filter(({ id }) => id === silenceId),
      now,
    );
    return alerts.filter((alert) => alert.status !== 'resolved' && isSilenced(matchedLabels(alert)).length > 0).length;
  }

  /** Names of those that are on. */
  channels(tenantId: string): Promise<string[]> {
    return this.store.channels(tenantId);
  }

  /** One for each of `alerts`, in their order; they need not be stored. */
  async ways(tenantId: string, alerts: readonly Pick<Alert, 'name' | 'severity' | 'source' | 'labels'>[]): Promise<Way[]> {
    const { routing, alerts: stored, silences, channels, now } = await this.store.read(tenantId, this.flapping);
    const active = stored.filter(({ status }) => status !== 'resolved').map(labelled);
    const silencedBy = silencer(silences, now);
    const inhibitedBy = inhibitor(routing.inhibitions, active);
    return alerts.map((alert) => {
      const labels = matchedLabels(alert);
      const taken = ({ name, group_by, group_wait_seconds, channels: named }: Route): TakenRoute => {
        const group_labels = groupLabels(group_by, { alert, labels });
        const told = named === null ? [...channels] : named.filter((channel) => channels.includes(channel));
        return { route: name, channels: told, group_key: groupKey(name, group_labels), group_labels, group_wait_seconds };
      };
      return { routes: routesOf(routing, labels).map(taken), silenced_by: silencedBy(labels), inhibited_by: inhibitedBy(labels) };
    });
  }
}
