import { Injectable } from '@nestjs/common';
import type { Alert, Labels } from '../alert.js';
import { silencer } from '../silences/silence.js';
import { DispatchStore, type MatchedAlert } from './dispatch.store.js';
import { groupKey, groupLabels } from './grouping.js';
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
  constructor(private readonly store: DispatchStore) {}

  async muting(tenantId: string, alert: Alert): Promise<Muting> {
    if (alert.status === 'resolved') return { silenced_by: [], inhibited_by: [] };
    const [way] = await this.ways(tenantId, [alert]);
    return { silenced_by: way!.silenced_by, inhibited_by: way!.inhibited_by };
  }

  /** How many active alerts a silence mutes now. */
  async mutedBy(tenantId: string, silenceId: string): Promise<number> {
    const { silences, now } = await this.store.read(tenantId);
    const isSilenced = silencer(
      silences.filter(({ id }) => id === silenceId),
      now,
    );
    const active = await this.store.active(tenantId);
    return active.filter((alert) => isSilenced(matchedLabels(alert)).length > 0).length;
  }

  /** Names of those that are on. */
  async channels(tenantId: string): Promise<readonly string[]> {
    return (await this.store.read(tenantId)).channels;
  }

  /** One for each of `alerts`, in their order; they need not be stored. */
  async ways(tenantId: string, alerts: readonly Omit<MatchedAlert, 'id'>[]): Promise<Way[]> {
    const { routing, silences, channels, now } = await this.store.read(tenantId);
    const sources = routing.inhibitions.length > 0 ? await this.store.active(tenantId) : [];
    const silencedBy = silencer(silences, now);
    const inhibitedBy = inhibitor(
      routing.inhibitions,
      sources.map((alert) => ({ id: alert.id, labels: matchedLabels(alert) })),
    );
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
