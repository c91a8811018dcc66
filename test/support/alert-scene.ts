import type { Alert, Labels } from '../../src/alerts/alert.js';
import { dispatch } from '../../src/alerts/flow/dispatch.js';
import type { GroupState } from '../../src/alerts/flow/grouping.js';
import { defaultRoute, noRouting, type Inhibition, type Route, type RouteSettings, type Routing } from '../../src/alerts/flow/routing.js';
import type { Matcher } from '../../src/alerts/matchers.js';
import type { SilenceSpan } from '../../src/alerts/silences/silence.js';
import { anAlert } from './notification.js';

/** What a channel was told, when: `a b -c` is of two active alerts and a resolved one. */
interface Heard {
  /** Seconds since the beginning of the scene. */
  at: number;
  channel: string;
  group: string;
  alerts: Alert[];
}

const begin = Date.parse('2026-01-01T00:00:00Z');

/** Alerts, silences and a clock that moves only by hand; each change is looked at as the server's wake-up would, and so is each due time. */
export class AlertScene {
  alerts: Alert[] = [];
  silences: SilenceSpan[] = [];
  channels = ['ops', 'second', 'boss', 'x', 'y', 'z', 'log', 'pager'];
  readonly heard: Heard[] = [];
  /** Seconds since the beginning. */
  seconds = 0;
  /** How many beginnings within how many seconds are flapping. */
  flapping: [times: number, seconds: number] = [1_000, 1];
  private groups: GroupState[] = [];
  private nextAt: number | null = null;

  constructor(public routing: Routing) {}

  get now(): number {
    return begin + this.seconds * 1_000;
  }

  /** What was said so far, as `10 ops: a b -c`. */
  get lines(): string[] {
    return this.heard.map(({ at, channel, alerts }) => {
      const names = alerts.map(({ name, status }) => (status === 'resolved' ? `-${name}` : name));
      return `${at} ${channel}: ${names.toSorted().join(' ')}`;
    });
  }

  get rememberedGroups(): number {
    return this.groups.length;
  }

  raise(name: string, labels: Labels = {}, severity: Alert['severity'] = 'warning'): Alert {
    const at = this.time();
    const id = `${name}-${this.alerts.length}`;
    const alert = anAlert({ id, fingerprint: name, name, severity, labels, started_at: at, updated_at: at, value: null });
    this.alerts.push(alert);
    this.look();
    return alert;
  }

  /** Active alerts of the name become so; with no time in between. */
  set(name: string, status: Alert['status']): void {
    const change = {
      status,
      ...(status === 'acknowledged' && { acknowledged_at: this.time() }),
      ...(status === 'resolved' && { resolved_at: this.time() }),
    };
    this.alerts = this.alerts.map((alert) => (alert.name === name && alert.status !== 'resolved' ? { ...alert, ...change } : alert));
    this.look();
  }

  silence(matchers: Matcher[], seconds: number): void {
    this.silences.push({ id: `s-${this.silences.length}`, matchers, starts_at: this.time(), ends_at: this.time(seconds) });
    this.look();
  }

  /** Lets time pass, looking whenever the last look asked for it, and at no other time. */
  wait(seconds: number): void {
    const end = this.now + seconds * 1_000;
    while (this.nextAt !== null && this.nextAt <= end) {
      const before = this.nextAt;
      this.seconds = Math.max(this.seconds, (before - begin) / 1_000);
      this.look();
      if (this.nextAt !== null && this.nextAt <= before) throw new Error('The look asks for one that is not after it.');
    }
    this.seconds = (end - begin) / 1_000;
  }

  look(): void {
    const { routing, alerts, silences, groups, channels, now } = this;
    const result = dispatch({ routing, alerts, silences, groups, channels, flapping: this.flappingNow(), now });
    const replaced = new Set([...result.gone, ...result.changed.map(({ key }) => key)]);
    // As from the database.
    const stored = JSON.parse(JSON.stringify(result.changed)) as GroupState[];
    this.groups = [...groups.filter(({ key }) => !replaced.has(key)), ...stored];
    this.nextAt = result.next_at;
    for (const { channels, content, group_key: group } of result.notifications) {
      for (const channel of channels) this.heard.push({ at: this.seconds, channel, group, alerts: content.alerts });
    }
  }

  private flappingNow(): Map<string, number> {
    const [times, seconds] = this.flapping;
    const begun = Map.groupBy(this.alerts, ({ fingerprint }) => fingerprint);
    const ends = [...begun].flatMap(([fingerprint, alerts]): [string, number][] => {
      const nth = alerts.at(-times);
      return nth ? [[fingerprint, Date.parse(nth.started_at) + seconds * 1_000]] : [];
    });
    return new Map(ends.filter(([, end]) => end > this.now));
  }

  private time(inSeconds = 0): string {
    return new Date(this.now + inSeconds * 1_000).toISOString();
  }
}

export const is = (label: string, value: string): Matcher => ({ label, operator: '=', value });

export function routingOf(
  main: Partial<RouteSettings>,
  rest: { routes?: Partial<Route>[]; inhibitions?: Partial<Inhibition>[] } = {},
): Routing {
  const default_route = { ...defaultRoute, ...main };
  const routes = (rest.routes ?? []).map((route, index) => ({
    ...default_route,
    name: `r${index}`,
    matchers: [],
    continue: false,
    ...route,
  }));
  const inhibitions = (rest.inhibitions ?? []).map((rule) => ({ name: 'i', source_matchers: [], target_matchers: [], equal: [], ...rule }));
  return { ...noRouting, default_route, routes, inhibitions };
}
