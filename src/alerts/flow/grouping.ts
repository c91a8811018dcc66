import { createHash } from 'node:crypto';
import type { Alert, Labels } from '../alert.js';
import { eachAlone, matchedLabels, routesOf, type Route, type Routing } from './routing.js';

/** An alert, with what matchers see of it. */
export interface LabelledAlert {
  id: string;
  alert: Alert;
  labels: Labels;
}

/** What channels have been told of one alert. */
export interface Told {
  /** The acknowledgement that they know to be over: an open alert with another one has been opened again since. */
  acknowledged_at: string | null;
  /** The latest notification had to leave it out: it is news when it need not be left out any more. */
  left_out: boolean;
  /** How many steps of escalation it has taken. */
  steps: number;
  /** Who must be told of its end. */
  channels: string[];
}

/** What is remembered of a group from its first notification on, until nothing of it is left. Times are milliseconds since the epoch. */
export interface GroupState {
  key: string;
  /** Name of the route. */
  route: string;
  labels: Labels;
  /** Its interval is counted from here. */
  flushed_at: number;
  /** When what is new is told; null when nothing is. */
  due_at: number | null;
  /** When channels were last told of it. */
  told_at: number | null;
  /** By alert id. */
  told: Record<string, Told>;
  /** Ids of active alerts that were silenced at the last look. */
  silenced: string[];
  /** Fingerprints that channels know to flap: nothing is told of them until they do not. */
  flapping: string[];
}

/** A route's active alerts of the same values of the labels that it groups by. */
export interface Group {
  key: string;
  route: Route;
  labels: Labels;
  members: LabelledAlert[];
}

export function labelled(alert: Alert): LabelledAlert {
  return { id: alert.id, alert, labels: matchedLabels(alert) };
}

export function groupsOf(routing: Routing, active: readonly LabelledAlert[]): Map<string, Group> {
  const groups = new Map<string, Group>();
  for (const member of active) {
    for (const route of routesOf(routing, member.labels)) {
      const labels = groupLabels(route.group_by, member);
      const key = groupKey(route.name, labels);
      const group = groups.get(key);
      if (group) group.members.push(member);
      else groups.set(key, { key, route, labels, members: [member] });
    }
  }
  return groups;
}

/** When a group that nothing is known of is due: at once, where its oldest alert has begun long ago. */
export function firstDueAt({ route, members }: Group): number {
  const begun = members.reduce((earliest, { alert }) => Math.min(earliest, Date.parse(alert.started_at)), Infinity);
  return begun + route.group_wait_seconds * 1_000;
}

/** An absent label and an empty one are the same. Alone is what has the same fingerprint: severity and source may change while it lasts. */
export function groupLabels(
  groupBy: readonly string[],
  { alert, labels }: { alert: Pick<Alert, 'name' | 'labels'>; labels: Labels },
): Labels {
  const isAlone = groupBy.includes(eachAlone);
  const all = Object.entries(isAlone ? { ...alert.labels, alertname: alert.name } : labels);
  return Object.fromEntries(all.filter(([label, value]) => value !== '' && (isAlone || groupBy.includes(label))));
}

/** Short, as it goes to channels: the route, and a hash of the labels. */
export function groupKey(route: string, labels: Labels): string {
  const pairs = JSON.stringify(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  return `${route}/${hashOf(pairs)}`;
}

/** Each look asks for those of all active alerts again. */
const hashes = new Map<string, string>();
const maxHashes = 20_000;

function hashOf(text: string): string {
  let hash = hashes.get(text);
  if (!hash) {
    if (hashes.size >= maxHashes) hashes.clear();
    hash = createHash('sha256').update(text).digest('hex').slice(0, 32);
    hashes.set(text, hash);
  }
  return hash;
}
