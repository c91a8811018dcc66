import type { Alert, Labels } from '../alert.js';
import { matchesAll, type Matcher } from '../matchers.js';

/** Who else is told of an alert that has been open for so long. */
export interface EscalationStep {
  after_seconds: number;
  /** Names. */
  channels: string[];
}

/** How the alerts that take a route are told. */
export interface RouteSettings {
  /** Names; null: every channel that is on. */
  channels: string[] | null;
  /** Labels whose alerts are told together, or `...`: each alert by itself. */
  group_by: string[];
  /** How long a new group waits for more of the same. */
  group_wait_seconds: number;
  /** How long a group that was told of waits before it tells what has changed. */
  group_interval_seconds: number;
  /** After how long a group in which nothing changes is told again. */
  repeat_interval_seconds: number;
  escalation: EscalationStep[];
}

export interface Route extends RouteSettings {
  /** The same for as long as it is the same route: its groups are known by it. */
  name: string;
  matchers: Matcher[];
  /** Whether alerts that take it go on to the routes after it. */
  continue: boolean;
}

/** While a source is active, targets with the same values of the labels `equal` are not told of. */
export interface Inhibition {
  name: string;
  source_matchers: Matcher[];
  target_matchers: Matcher[];
  /** An absent label is an empty one, on both sides. */
  equal: string[];
}

export interface Routing {
  /** In order: the first that matches takes the alert. */
  routes: Route[];
  /** Of what no route takes. */
  default_route: RouteSettings;
  inhibitions: Inhibition[];
}

export const defaultRouteName = 'default';
/** In `group_by`: each alert by itself. */
export const eachAlone = '...';

/** Of what no route takes, where nothing else is said: everybody is told of each alert at once. */
export const defaultRoute: RouteSettings = {
  channels: null,
  group_by: [eachAlone],
  group_wait_seconds: 0,
  group_interval_seconds: 1,
  repeat_interval_seconds: 14_400,
  escalation: [],
};

export const noRouting: Routing = { routes: [], default_route: defaultRoute, inhibitions: [] };

/** What matchers see of an alert: its labels, its name whatever its labels say, and its severity and source where no label says another. */
export function matchedLabels({ name, severity, source, labels }: Pick<Alert, 'name' | 'severity' | 'source' | 'labels'>): Labels {
  return { source, severity, ...labels, alertname: name };
}

/** The routes that an alert with these labels takes; always at least one. */
export function routesOf(routing: Routing, labels: Labels): Route[] {
  const taken: Route[] = [];
  for (const route of routing.routes) {
    if (!matchesAll(route.matchers, labels)) continue;
    taken.push(route);
    if (!route.continue) break;
  }
  return taken.length > 0 ? taken : [routeNamed(routing, defaultRouteName)];
}

/** The default one where there is none of the name any more. */
export function routeNamed({ routes, default_route }: Routing, name: string): Route {
  return routes.find((route) => route.name === name) ?? { ...default_route, name: defaultRouteName, matchers: [], continue: false };
}
