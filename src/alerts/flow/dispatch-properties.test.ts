import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AlertScene, is, routingOf } from '../../../test/support/alert-scene.js';
import type { Labels } from '../alert.js';
import { matchesAll, type Matcher } from '../matchers.js';
import { matchedLabels, routesOf, type Inhibition, type Route, type RouteSettings, type Routing } from './routing.js';

const like = (label: string, value: string): Matcher => ({ label, operator: '=~', value });
const names = ['a', 'b', 'c', 'd'] as const;

const times = { group_wait_seconds: 10, group_interval_seconds: 40, repeat_interval_seconds: 120 };
const trees: { main: Partial<RouteSettings>; routes: Partial<Route>[] }[] = [
  { main: { ...times, channels: ['ops'], group_by: [] }, routes: [] },
  {
    main: { ...times, channels: ['ops', 'log'], group_by: ['alertname'], escalation: [{ after_seconds: 25, channels: ['boss', 'log'] }] },
    routes: [],
  },
  {
    main: { ...times, channels: ['ops'], group_by: ['...'] },
    routes: [
      { matchers: [like('alertname', 'a|b')], channels: ['log'], group_wait_seconds: 0, continue: true },
      { matchers: [is('severity', 'critical')], channels: ['pager'], group_by: ['severity'], group_interval_seconds: 20 },
    ],
  },
];
const rules: Inhibition[] = [
  { name: 'one', source_matchers: [is('alertname', 'a')], target_matchers: [like('alertname', 'b|c')], equal: ['zone'] },
  { name: 'two', source_matchers: [like('alertname', 'b|c')], target_matchers: [like('alertname', 'c|d')], equal: ['severity'] },
];

const name = fc.constantFrom(...names);
const steps = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('raise'),
      name,
      severity: fc.constantFrom('warning', 'critical'),
      zone: fc.constantFrom('', '1'),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('set'), name, status: fc.constantFrom('resolved', 'acknowledged', 'open') }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('silence'), name, seconds: fc.integer({ min: 1, max: 30 }).map((n) => n * 5) }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('wait'), seconds: fc.integer({ min: 1, max: 30 }).map((n) => n * 5) }) },
);
const routings = fc
  .record({ tree: fc.constantFrom(...trees), inhibitions: fc.subarray(rules) })
  .map(({ tree, inhibitions }): Routing => routingOf(tree.main, { routes: tree.routes, inhibitions }));
const runs = { numRuns: 500 };

/** As plainly as it can be said, to compare with. */
function isMuted(scene: AlertScene, labels: Labels, now: number): boolean {
  const silenced = scene.silences.some(
    ({ matchers, starts_at, ends_at }) => Date.parse(starts_at) <= now && now < Date.parse(ends_at) && matchesAll(matchers, labels),
  );
  const active = scene.alerts.filter(({ status }) => status !== 'resolved').map(matchedLabels);
  return (
    silenced ||
    scene.routing.inhibitions.some(({ source_matchers, target_matchers, equal }) => {
      const isBoth = (one: Labels) => matchesAll(source_matchers, one) && matchesAll(target_matchers, one);
      const inhibits = (source: Labels) =>
        matchesAll(source_matchers, source) &&
        equal.every((label) => (source[label] ?? '') === (labels[label] ?? '')) &&
        !(isBoth(source) && isBoth(labels));
      return matchesAll(target_matchers, labels) && active.some(inhibits);
    })
  );
}

/** Watches a scene from outside: more often than the scene itself looks, which does so only when it asked to. */
class Watcher {
  private seen = 0;
  /** Since when an alert has been open and not muted. */
  private readonly since = new Map<string, number>();

  constructor(private readonly scene: AlertScene) {}

  watch(): void {
    const { scene } = this;
    for (const { at, alerts } of scene.heard.slice(this.seen)) {
      const now = scene.now + (at - scene.seconds) * 1000;
      for (const alert of alerts) expect(isMuted(scene, matchedLabels(alert), now), `${alert.id} at ${at}`).toBe(false);
    }
    this.seen = scene.heard.length;
    for (const alert of scene.alerts) {
      if (alert.status !== 'open' || isMuted(scene, matchedLabels(alert), scene.now)) this.since.delete(alert.id);
      else if (!this.since.has(alert.id)) this.since.set(alert.id, scene.seconds);
    }
  }

  /** Everything open, routed and not muted for long enough has been told. */
  expectNothingLost(): void {
    const { scene } = this;
    for (const [id, since] of this.since) {
      const alert = scene.alerts.find((one) => one.id === id)!;
      for (const route of routesOf(scene.routing, matchedLabels(alert))) {
        if (scene.seconds < since + Math.max(route.group_wait_seconds, route.group_interval_seconds)) continue;
        for (const channel of route.channels!)
          expect(firing(scene, channel, id), `${id} to ${channel} at ${scene.seconds}`).toBeGreaterThan(0);
      }
    }
  }
}

const firing = (scene: AlertScene, channel: string, id: string) =>
  scene.heard.filter((heard) => heard.channel === channel && heard.alerts.some((alert) => alert.id === id && alert.status !== 'resolved'))
    .length;

type Step = typeof steps extends fc.Arbitrary<infer T> ? T : never;

function take(scene: AlertScene, step: Step, watcher?: Watcher): void {
  if ('zone' in step) {
    const isActive = scene.alerts.some((alert) => alert.name === step.name && alert.status !== 'resolved');
    if (!isActive) scene.raise(step.name, { zone: step.zone }, step.severity);
  } else if ('status' in step) scene.set(step.name, step.status);
  else if ('name' in step) scene.silence([is('alertname', step.name)], step.seconds);
  else {
    for (let passed = 0; passed < step.seconds; passed += 5) {
      scene.wait(5);
      watcher?.watch();
      watcher?.expectNothingLost();
    }
  }
  watcher?.watch();
}

/** To each channel and group, the end of an alert is told at most once, after the alert, and nothing of it after that. */
function expectEndsAfterBeginnings(scene: AlertScene): void {
  const state = new Map<string, 'firing' | 'ended'>();
  for (const { channel, group, alerts } of scene.heard) {
    for (const { id, status } of alerts) {
      const key = `${channel} ${group} ${id}`;
      if (status === 'resolved') expect(state.get(key), key).toBe('firing');
      else expect(state.get(key), key).not.toBe('ended');
      state.set(key, status === 'resolved' ? 'ended' : 'firing');
    }
  }
}

/** The same is told to the same again after `repeat_interval_seconds`, or after something has happened. */
function expectNoIdleRepetition(scene: AlertScene, changes: number[]): void {
  const last = new Map<string, number>();
  for (const { at, channel, group } of scene.heard) {
    const key = `${channel} ${group}`;
    const before = last.get(key);
    last.set(key, at);
    if (before === undefined || at - before >= times.repeat_interval_seconds) continue;
    expect(
      changes.some((change) => change >= before && change <= at),
      `${key} at ${before} and ${at}`,
    ).toBe(true);
  }
}

function expectAllSettled(scene: AlertScene): void {
  for (const one of names) scene.set(one, 'resolved');
  scene.wait(1000);
  const told = new Set(scene.heard.flatMap(({ channel, alerts }) => alerts.map(({ id }) => `${channel} ${id}`)));
  const ended = new Set(
    scene.heard.flatMap(({ channel, alerts }) => alerts.filter(({ status }) => status === 'resolved').map(({ id }) => `${channel} ${id}`)),
  );
  expect(ended).toEqual(told);
  expect(scene.rememberedGroups).toBe(0);
}

test('no alert is lost, nothing muted is told, ends are told to whom the alert was told', () => {
  fc.assert(
    fc.property(routings, fc.array(steps, { maxLength: 25 }), (routing, run) => {
      const scene = new AlertScene(routing);
      const watcher = new Watcher(scene);
      for (const step of run) take(scene, step, watcher);
      expectEndsAfterBeginnings(scene);
      expectAllSettled(scene);
      expectEndsAfterBeginnings(scene);
    }),
    runs,
  );
});

test('an alert of a group of its own is told exactly group_wait after it began', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 100 }), (wait, before) => {
      const scene = new AlertScene(routingOf({ channels: ['ops'], group_wait_seconds: wait }));
      scene.wait(before);
      scene.raise('a');
      scene.wait(wait);
      expect(scene.lines).toEqual([`${before + wait} ops: a`]);
    }),
    runs,
  );
});

test('whatever becomes of the routing, ends are told to whom the alert was told, and nothing is told twice at once', () => {
  const step = fc.oneof({ weight: 1, arbitrary: routings }, { weight: 8, arbitrary: steps });
  fc.assert(
    fc.property(routings, fc.array(step, { maxLength: 25 }), (routing, run) => {
      const scene = new AlertScene(routing);
      for (const one of run) {
        if ('routes' in one) scene.routing = one;
        else take(scene, one);
        scene.look();
        const heard = scene.heard.length;
        scene.look();
        expect(scene.heard.length).toBe(heard);
      }
      expectAllSettled(scene);
      expectEndsAfterBeginnings(scene);
    }),
    runs,
  );
});

test('nothing is told again before its repetition is due, unless something has happened', () => {
  fc.assert(
    fc.property(routings, fc.array(steps, { maxLength: 25 }), (routing, run) => {
      // Steps of escalation tell again on purpose.
      const scene = new AlertScene({ ...routing, default_route: { ...routing.default_route, escalation: [] } });
      const changes: number[] = [];
      for (const step of run) {
        if (step.kind !== 'wait') changes.push(scene.seconds);
        if (step.kind === 'silence') changes.push(scene.seconds + step.seconds);
        take(scene, step);
      }
      scene.wait(1_000);
      expectNoIdleRepetition(scene, changes);
    }),
    runs,
  );
});
