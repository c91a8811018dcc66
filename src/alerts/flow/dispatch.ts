import type { Alert } from '../alert.js';
import { silencer, silenceStatus, type SilenceSpan } from '../silences/silence.js';
import { groupsOf, labelled, type GroupState } from './grouping.js';
import { lookAtGroup, type LookContext } from './group-look.js';
import { inhibitor } from './inhibition.js';
import type { GroupNotification } from './notification.js';
import type { Routing } from './routing.js';

/** All that one tenant's notifications follow from. Times are milliseconds since the epoch. */
export interface DispatchInput {
  routing: Routing;
  /** The active ones, and of the resolved ones those that a group has told of. */
  alerts: readonly Alert[];
  silences: readonly SilenceSpan[];
  groups: readonly GroupState[];
  /** Names of the channels that are on. */
  channels: readonly string[];
  /** Fingerprints of alerts that begin again and again, and when they will have stopped if they do not begin once more. */
  flapping: ReadonlyMap<string, number>;
  now: number;
}

export interface Dispatch {
  /** New ones and changed ones. */
  changed: GroupState[];
  /** Keys of groups of which nothing is left. */
  gone: string[];
  notifications: GroupNotification[];
  /** Ids of alerts that channels are told to flap. */
  flapping: string[];
  /** When to look again if nothing happens before; null is never. */
  next_at: number | null;
}

/** Who is to be told what now. Pure: what was not stored is simply done again. */
export function dispatch({ routing, alerts, silences, groups, channels, flapping, now }: DispatchInput): Dispatch {
  const known = new Map(alerts.map((alert) => [alert.id, labelled(alert)]));
  const all = [...known.values()];
  const active = all.filter(({ alert }) => alert.status !== 'resolved');
  const silencedBy = silencer(silences, now);
  const inhibitedBy = inhibitor(routing.inhibitions, active);
  const idsOf = (test: (labels: (typeof all)[number]['labels']) => string[]) =>
    new Set(all.filter(({ labels }) => test(labels).length > 0).map(({ id }) => id));
  const context: LookContext = {
    routing,
    known,
    silenced: idsOf(silencedBy),
    inhibited: idsOf(inhibitedBy),
    flapping: new Set(flapping.keys()),
    enabled: channels,
    now,
  };

  const current = groupsOf(routing, active);
  const states = new Map(groups.map((state) => [state.key, state]));
  const result: Dispatch = { changed: [], gone: [], notifications: [], flapping: [], next_at: null };
  const times: number[] = [...flapping.values()];
  for (const silence of silences) if (silenceStatus(silence, now) === 'active') times.push(Date.parse(silence.ends_at));
  for (const key of new Set([...states.keys(), ...current.keys()])) {
    const before = states.get(key);
    const look = lookAtGroup(current.get(key), before, context);
    if (look.state && look.state !== before) result.changed.push(look.state);
    if (!look.state && before) result.gone.push(key);
    result.notifications.push(...look.notifications);
    result.flapping.push(...look.flapping);
    if (look.next_at !== null) times.push(look.next_at);
  }
  result.next_at = times.length > 0 ? times.reduce((a, b) => Math.min(a, b)) : null;
  return result;
}
