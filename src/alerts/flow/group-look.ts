import { escalate } from './escalation.js';
import { firstDueAt, type Group, type GroupState, type LabelledAlert, type Told } from './grouping.js';
import { notifications, type GroupNotification } from './notification.js';
import { routeNamed, type Routing } from './routing.js';

/** What all groups of a look have in common. */
export interface LookContext {
  routing: Routing;
  /** By alert id; also the resolved ones. */
  known: ReadonlyMap<string, LabelledAlert>;
  /** Ids of alerts that are silenced. */
  silenced: ReadonlySet<string>;
  /** Ids of alerts that are inhibited. */
  inhibited: ReadonlySet<string>;
  /** Fingerprints of alerts that begin again and again. */
  flapping: ReadonlySet<string>;
  /** Names of the channels that are on. */
  enabled: readonly string[];
  now: number;
}

export interface GroupLook {
  /** Undefined: there is nothing to remember. The very object that was given: nothing has changed. */
  state: GroupState | undefined;
  notifications: GroupNotification[];
  /** When something is to be told if nothing happens before; null is never. */
  next_at: number | null;
  /** Ids of alerts that channels have just been told to flap. */
  flapping: string[];
}

/** One group at `now`: `group` is undefined when it has no active alerts, `before` when nothing was told of it yet. */
export function lookAtGroup(group: Group | undefined, before: GroupState | undefined, context: LookContext): GroupLook {
  const { now } = context;
  const firstAt = before ? undefined : firstDueAt(group!);
  if (firstAt !== undefined && now < firstAt) return { state: undefined, notifications: [], next_at: firstAt, flapping: [] };
  const sight = new Sight(group, brought(before ?? newState(group!, now), context), context);
  const newsAt = before ? sight.newsAt() : now;
  const dueAt = newsAt ?? sight.repeatAt(sight.state);
  const flushed = dueAt !== null && now >= dueAt ? flush(sight) : { state: withDue(sight.state, newsAt), told: [], flapping: [] };
  const escalated = group ? escalate(group, flushed.state, sight) : { state: flushed.state, notifications: [], next_at: null };
  const { state } = escalated;
  const isOver = !group && Object.keys(state.told).length === 0 && state.flapping.length === 0;
  const times = [state.due_at ?? sight.repeatAt(state), escalated.next_at].filter((at) => at !== null);
  return {
    state: isOver ? undefined : state,
    notifications: [...flushed.told, ...escalated.notifications],
    next_at: times.length > 0 ? Math.min(...times) : null,
    flapping: flushed.flapping,
  };
}

function newState({ key, route, labels }: Group, now: number): GroupState {
  return {
    key,
    route: route.name,
    labels,
    flushed_at: now,
    due_at: null,
    told_at: null,
    told: {},
    silenced: [],
    flapping: [],
  };
}

function withDue(state: GroupState, due_at: number | null): GroupState {
  return state.due_at === due_at ? state : { ...state, due_at };
}

/** Without what is no longer stored, and without what flaps no longer. */
function brought(state: GroupState, { known, flapping }: LookContext): GroupState {
  const told = Object.entries(state.told).filter(([id]) => known.has(id));
  const stillFlapping = state.flapping.filter((fingerprint) => flapping.has(fingerprint));
  if (told.length === Object.keys(state.told).length && stillFlapping.length === state.flapping.length) return state;
  return { ...state, told: Object.fromEntries(told), flapping: stillFlapping };
}

/** A group as channels may see it now. */
export class Sight {
  readonly state: GroupState;
  /** Active, and not muted. */
  readonly audible: LabelledAlert[];
  /** Told of before, and over. */
  readonly ended: LabelledAlert[];
  private readonly news: LabelledAlert[];
  private readonly isFreed: boolean;

  constructor(
    readonly group: Group | undefined,
    state: GroupState,
    readonly context: LookContext,
  ) {
    const members = group?.members ?? [];
    this.audible = members.filter((member) => !this.isMuted(member, state));
    this.ended = Object.keys(state.told)
      .map((id) => context.known.get(id)!)
      .filter((one) => one.alert.status === 'resolved' && !this.isMuted(one, state));
    this.news = this.audible.filter(({ id, alert }) => isNews(alert, state.told[id]));
    // What a silence has kept back does not wait for the interval, too.
    const before = new Set(state.silenced);
    this.isFreed = this.news.some(({ id }) => before.has(id));
    const silenced = members.filter(({ id }) => context.silenced.has(id)).map(({ id }) => id);
    const isSame = silenced.length === before.size && silenced.every((id) => before.has(id));
    this.state = isSame ? state : { ...state, silenced };
  }

  get open(): LabelledAlert[] {
    return this.audible.filter(({ alert }) => alert.status === 'open');
  }

  get hasNews(): boolean {
    return this.news.length > 0 || this.ended.length > 0;
  }

  get settings() {
    return this.group?.route ?? routeNamed(this.context.routing, this.state.route);
  }

  /** Names of the channels that are on and that the route names. */
  enabled(channels: readonly string[] | null): string[] {
    return channels === null ? [...this.context.enabled] : channels.filter((channel) => this.context.enabled.includes(channel));
  }

  isMuted({ id, alert }: LabelledAlert, { flapping }: GroupState = this.state): boolean {
    return this.context.silenced.has(id) || this.context.inhibited.has(id) || flapping.includes(alert.fingerprint);
  }

  /** When to tell what is new; null when nothing is. */
  newsAt(): number | null {
    const { now } = this.context;
    if (!this.hasNews) return null;
    return this.isFreed ? now : (this.state.due_at ?? this.tickAt(now));
  }

  /** When the group as it is is told again: at the first end of an interval after `repeat_interval_seconds`. */
  repeatAt(state: GroupState): number | null {
    if (state.told_at === null || this.open.length === 0) return null;
    return this.tickAt(state.told_at + this.settings.repeat_interval_seconds * 1_000, state);
  }

  /** The first end of an interval at or after `at`, but not before the first one. */
  private tickAt(at: number, { flushed_at } = this.state): number {
    const interval = this.settings.group_interval_seconds * 1_000;
    return interval === 0 ? Math.max(at, flushed_at) : flushed_at + Math.max(1, Math.ceil((at - flushed_at) / interval)) * interval;
  }
}

/** New, or open again, or left out of the latest notification. */
function isNews({ status, acknowledged_at }: LabelledAlert['alert'], told: Told | undefined): boolean {
  return !told || (status === 'open' && (told.left_out || told.acknowledged_at !== acknowledged_at));
}

/** Tells what is new, with the rest of the group; or, where nothing is, what is open, once more. */
function flush(sight: Sight): { state: GroupState; told: GroupNotification[]; flapping: string[] } {
  const { group, ended, hasNews, context } = sight;
  const state = { ...sight.state, flushed_at: context.now, due_at: null };
  const firing = hasNews ? sight.audible : sight.open;
  if (firing.length === 0 && ended.length === 0) return { state, told: [], flapping: [] };

  const channels = group ? sight.enabled(group.route.channels) : [];
  // Who was not told of an alert does not hear of its end.
  const endedFor = (channel: string) => ended.filter(({ id }) => state.told[id]!.channels.includes(channel));
  const flaps = ({ alert }: LabelledAlert) => context.flapping.has(alert.fingerprint);
  const flapping = firing.filter(flaps);
  const shown = firing.map((one) => (flaps(one) ? marked(one) : one));
  const byChannel = new Map(channels.map((channel) => [channel, [...shown, ...endedFor(channel)]]));
  // Also those that escalation reached, or that the route no longer names.
  for (const channel of new Set(ended.flatMap(({ id }) => state.told[id]!.channels))) {
    if (!byChannel.has(channel)) byChannel.set(channel, endedFor(channel));
  }
  return {
    state: {
      ...state,
      told_at: context.now,
      told: toldOf(sight, firing, channels),
      flapping: [...new Set([...state.flapping, ...flapping.map(({ alert }) => alert.fingerprint)])],
    },
    told: notifications(state.key, state.labels, byChannel),
    flapping: flapping.map(({ id }) => id),
  };
}

function marked(one: LabelledAlert): LabelledAlert {
  const flapping = 'It begins and ends again and again: nothing more is told of it until it is steady.';
  return { ...one, alert: { ...one.alert, annotations: { ...one.alert.annotations, flapping } } };
}

/** What channels know after this notification. */
function toldOf(sight: Sight, firing: readonly LabelledAlert[], channels: readonly string[]): Record<string, Told> {
  const told = { ...sight.state.told };
  for (const { id } of sight.ended) delete told[id];
  for (const { id, alert } of firing) {
    const before = told[id];
    told[id] = {
      acknowledged_at: alert.status === 'open' ? alert.acknowledged_at : (before?.acknowledged_at ?? null),
      left_out: false,
      steps: before?.steps ?? 0,
      channels: [...new Set([...(before?.channels ?? []), ...channels])],
    };
  }
  const muted = (sight.group?.members ?? []).filter(
    ({ id, alert }) => told[id] && alert.status === 'open' && sight.isMuted({ id, alert, labels: {} }),
  );
  for (const { id } of muted) told[id] = { ...told[id]!, left_out: true };
  return told;
}
