import type { Labels } from '../alert.js';
import type { NotificationContent } from '../channels/channel.js';
import type { LabelledAlert } from './grouping.js';

/** What some channels are to be told of a group. */
export interface GroupNotification {
  group_key: string;
  /** Names. */
  channels: string[];
  content: NotificationContent;
}

/** What is more comes in several notifications: receivers refuse bodies without end. */
export const maxAlerts = 500;

/** Channels that are told the same are told by one notification. */
export function notifications(key: string, labels: Labels, byChannel: ReadonlyMap<string, LabelledAlert[]>): GroupNotification[] {
  const byAlerts = new Map<string, { channels: string[]; alerts: LabelledAlert[] }>();
  for (const [channel, alerts] of byChannel) {
    if (alerts.length === 0) continue;
    const ids = alerts.map(({ id }) => id).join();
    const same = byAlerts.get(ids);
    if (same) same.channels.push(channel);
    else byAlerts.set(ids, { channels: [channel], alerts });
  }
  return [...byAlerts.values()].flatMap(({ channels, alerts }) =>
    contentsOf(labels, alerts).map((content) => ({ group_key: key, channels, content })),
  );
}

export function parts<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) => items.slice(index * size, (index + 1) * size));
}

function contentsOf(group_labels: Labels, alerts: readonly LabelledAlert[]): NotificationContent[] {
  // Of the group: a part without active alerts does not end what the other parts tell.
  const status = alerts.some(({ alert }) => alert.status !== 'resolved') ? 'firing' : 'resolved';
  return parts(alerts, maxAlerts).map((part) => ({
    status,
    group_labels,
    common_labels: common(part.map(({ labels }) => labels)),
    common_annotations: common(part.map(({ alert }) => alert.annotations)),
    alerts: part.map(({ alert }) => alert),
  }));
}

function common([first = {}, ...others]: Labels[]): Labels {
  return Object.fromEntries(
    Object.entries(first).filter(([key, value]) => others.every((other) => Object.hasOwn(other, key) && other[key] === value)),
  );
}
