import { expect, test } from 'vitest';
import { AlertScene, is, routingOf } from '../../../test/support/alert-scene.js';
import { noRouting, type RouteSettings, type Routing } from './routing.js';

// Alertmanager documents times of groups at https://prometheus.io/docs/alerting/latest/configuration/#route and tests what is told in
// notify/notify_test.go (TestDedupStageNeedsUpdate). Where this one says more, the row says so.
const documented = 'configuration, <route>';
const tested = 'notify/notify_test.go';
const own = 'more than Alertmanager';

/** All in one group. */
const ops: Partial<RouteSettings> = {
  channels: ['ops'],
  group_by: [],
  group_wait_seconds: 10,
  group_interval_seconds: 60,
  repeat_interval_seconds: 600,
};
const scope = [is('alertname', 'host')];
const zoneOverHost = routingOf(ops, { inhibitions: [{ source_matchers: [is('alertname', 'zone')], target_matchers: scope }] });
const escalating: Partial<RouteSettings> = {
  ...ops,
  escalation: [
    { after_seconds: 300, channels: ['boss'] },
    { after_seconds: 100, channels: ['second'] },
  ],
};

type Scene = (scene: AlertScene) => void;
const cases: [sentence: string, source: string, routing: Routing, scene: Scene, heard: string[]][] = [
  ['a new group waits for group_wait', documented, routingOf(ops), (s) => (s.raise('a'), s.wait(9)), []],
  [
    'and is told then, with what came in between',
    documented,
    routingOf(ops),
    (s) => (s.raise('a'), s.wait(5), s.raise('b'), s.wait(5)),
    ['10 ops: a b'],
  ],
  [
    'what ends before group_wait is never told',
    documented,
    routingOf(ops),
    (s) => (s.raise('a'), s.wait(5), s.set('a', 'resolved'), s.wait(9999)),
    [],
  ],
  [
    'what comes later is told group_interval after the last look, with the rest',
    documented,
    routingOf(ops),
    (s) => (s.raise('a'), s.wait(30), s.raise('b'), s.wait(40)),
    ['10 ops: a', '70 ops: a b'],
  ],
  [
    'what ends is told at group_interval, once',
    documented,
    routingOf(ops),
    (s) => (s.raise('a'), s.raise('b'), s.wait(30), s.set('a', 'resolved'), s.wait(300)),
    ['10 ops: a b', '70 ops: -a b'],
  ],
  [
    'the end of all is told, and then the group is forgotten',
    tested,
    routingOf(ops),
    (s) => (s.raise('a'), s.wait(30), s.set('a', 'resolved'), s.wait(9999), expect(s.rememberedGroups).toBe(0)),
    ['10 ops: a', '70 ops: -a'],
  ],
  [
    'what begins and ends between two looks is not told',
    tested,
    routingOf(ops),
    (s) => (s.raise('a'), s.wait(30), s.raise('b'), s.set('b', 'resolved'), s.wait(100)),
    ['10 ops: a'],
  ],
  ['what does not change is not told before repeat_interval', tested, routingOf(ops), (s) => (s.raise('a'), s.wait(600)), ['10 ops: a']],
  ['and is told after it', tested, routingOf(ops), (s) => (s.raise('a'), s.wait(700)), ['10 ops: a', '610 ops: a']],
  [
    'repeat_interval is rounded up to a multiple of group_interval',
    documented,
    routingOf({ ...ops, repeat_interval_seconds: 601 }),
    (s) => (s.raise('a'), s.wait(700)),
    ['10 ops: a', '670 ops: a'],
  ],
  [
    'a change puts the repetition off',
    documented,
    routingOf(ops),
    (s) => (s.raise('a'), s.wait(500), s.raise('b'), s.wait(500)),
    ['10 ops: a', '550 ops: a b'],
  ],
  [
    'groups are told each by itself',
    documented,
    routingOf({ ...ops, group_by: ['alertname'] }),
    (s) => (s.raise('a'), s.wait(30), s.raise('b'), s.wait(30)),
    ['10 ops: a', '40 ops: b'],
  ],
  [
    'each of the channels of all routes that are taken is told',
    documented,
    routingOf(ops, {
      routes: [
        { channels: ['x', 'y'], continue: true },
        { channels: ['z'], group_wait_seconds: 20 },
      ],
    }),
    (s) => (s.raise('a'), s.wait(30)),
    ['10 x: a', '10 y: a', '20 z: a'],
  ],
  // Silences and inhibition.
  [
    'what is silenced is not told',
    'alertmanager, silences',
    routingOf(ops),
    (s) => (s.silence([is('alertname', 'a')], 200), s.raise('a'), s.raise('b'), s.wait(60)),
    ['10 ops: b'],
  ],
  [
    'when the silence is over it is, at once',
    own,
    routingOf(ops),
    (s) => (s.silence([is('alertname', 'a')], 200), s.raise('a'), s.wait(300)),
    ['200 ops: a'],
  ],
  [
    'what was left out of a notification is news after the silence, what was not is not',
    tested,
    routingOf(ops),
    (s) => (s.raise('a'), s.raise('b'), s.wait(20), s.silence([is('alertname', 'b')], 100), s.raise('c'), s.wait(200)),
    ['10 ops: a b', '70 ops: a c', '120 ops: a b c'],
  ],
  [
    'an end within a silence is told after it',
    own,
    routingOf(ops),
    (s) => (s.raise('a'), s.wait(20), s.silence([is('alertname', 'a')], 100), s.set('a', 'resolved'), s.wait(200)),
    ['10 ops: a', '130 ops: -a'],
  ],
  [
    'within group_wait, what inhibits may come after what it inhibits',
    documented,
    zoneOverHost,
    (s) => (s.raise('host'), s.wait(5), s.raise('zone'), s.wait(100)),
    ['10 ops: zone'],
  ],
  [
    'when what inhibits has ended, the rest is told',
    'inhibit/inhibit_test.go',
    zoneOverHost,
    (s) => (s.raise('host'), s.raise('zone'), s.wait(20), s.set('zone', 'resolved'), s.wait(100)),
    ['10 ops: zone', '70 ops: -zone host'],
  ],
  [
    'what is silenced inhibits all the same',
    'inhibit/inhibit.go',
    zoneOverHost,
    (s) => (s.silence([is('alertname', 'zone')], 9999), s.raise('host'), s.raise('zone'), s.wait(100)),
    [],
  ],
  // Acknowledgement and escalation.
  [
    'what is acknowledged before it is told is told once',
    own,
    routingOf(ops),
    (s) => (s.raise('a'), s.set('a', 'acknowledged'), s.wait(9999)),
    ['10 ops: a'],
  ],
  [
    'what is acknowledged is not repeated',
    own,
    routingOf(ops),
    (s) => (s.raise('a'), s.wait(20), s.set('a', 'acknowledged'), s.wait(9999)),
    ['10 ops: a'],
  ],
  [
    'it is news when the acknowledgement times out',
    own,
    routingOf(ops),
    (s) => (s.raise('a'), s.wait(20), s.set('a', 'acknowledged'), s.wait(100), s.set('a', 'open'), s.wait(100)),
    ['10 ops: a', '130 ops: a'],
  ],
  [
    'its end is told',
    own,
    routingOf(ops),
    (s) => (s.raise('a'), s.wait(20), s.set('a', 'acknowledged'), s.wait(20), s.set('a', 'resolved'), s.wait(100)),
    ['10 ops: a', '70 ops: -a'],
  ],
  [
    'what nobody acknowledges goes to further channels, which hear of its end, too',
    own,
    routingOf(escalating),
    (s) => (s.raise('a'), s.wait(150), s.set('a', 'resolved'), s.wait(9999)),
    ['10 ops: a', '100 second: a', '190 ops: -a', '190 second: -a'],
  ],
  ['step by step', own, routingOf(escalating), (s) => (s.raise('a'), s.wait(350)), ['10 ops: a', '100 second: a', '300 boss: a']],
  [
    'until somebody does',
    own,
    routingOf(escalating),
    (s) => (s.raise('a'), s.wait(150), s.set('a', 'acknowledged'), s.wait(9999)),
    ['10 ops: a', '100 second: a'],
  ],
  [
    'and goes on when the acknowledgement times out: the steps are counted from the beginning',
    own,
    routingOf(escalating),
    (s) => (s.raise('a'), s.wait(50), s.set('a', 'acknowledged'), s.wait(200), s.set('a', 'open'), s.wait(200)),
    ['10 ops: a', '250 ops: a', '250 second: a', '300 boss: a'],
  ],
  [
    'what is silenced does not escalate',
    own,
    routingOf(escalating),
    (s) => (s.raise('a'), s.wait(20), s.silence([is('alertname', 'a')], 9999), s.wait(500)),
    ['10 ops: a'],
  ],
];

test.each(cases)('%s (%s)', (_sentence, _source, routing, play, heard) => {
  const scene = new AlertScene(routing);
  play(scene);
  expect(scene.lines).toEqual(heard);
});

test('an end is told to whom the alert was told, though the routing has changed', () => {
  const scene = new AlertScene(routingOf(ops));
  scene.raise('a');
  scene.wait(20);
  scene.routing = routingOf({ ...ops, channels: ['others'] });
  scene.set('a', 'resolved');
  scene.wait(100);
  expect(scene.lines).toEqual(['10 ops: a', '70 ops: -a']);
});

test('an alert that moves to another group is told there at once, and its end in both', () => {
  const scene = new AlertScene(routingOf(ops, { routes: [{ matchers: [is('severity', 'critical')], channels: ['pager'] }] }));
  const alert = scene.raise('a');
  scene.wait(20);
  scene.alerts = [{ ...alert, severity: 'critical' }];
  scene.look();
  scene.wait(20);
  scene.set('a', 'resolved');
  scene.wait(100);
  expect(scene.lines).toEqual(['10 ops: a', '20 pager: a', '70 ops: -a', '80 pager: -a']);
});

test('what begins again and again is told to flap once, and as it is then when it has stopped', () => {
  const scene = new AlertScene(routingOf({ channels: ['ops'], group_wait_seconds: 0, group_interval_seconds: 1 }));
  scene.flapping = [3, 100];
  for (let time = 0; time < 5; time += 1) {
    scene.raise('a');
    scene.wait(5);
    scene.set('a', 'resolved');
    scene.wait(5);
  }
  scene.raise('a');
  scene.wait(300);
  expect(scene.lines).toEqual(['0 ops: a', '5 ops: -a', '10 ops: a', '15 ops: -a', '20 ops: a', '130 ops: -a a']);
  const told = scene.heard.map(({ alerts }) => alerts.map(({ annotations }) => 'flapping' in annotations));
  expect(told.flat()).toEqual([false, false, false, false, true, false, false]);
});

test('channels that are off are not told, and who was not told does not hear of the end', () => {
  const scene = new AlertScene(routingOf({ channels: ['ops', 'log'], group_by: [], group_wait_seconds: 0 }));
  scene.channels = ['ops'];
  scene.raise('a');
  scene.channels = ['ops', 'log'];
  scene.wait(5);
  scene.set('a', 'resolved');
  scene.wait(5);
  expect(scene.lines).toEqual(['0 ops: a', '5 ops: -a']);
});

test('without channels of its own a route tells every one that is on', () => {
  const scene = new AlertScene(noRouting);
  scene.channels = ['x', 'y'];
  scene.raise('a');
  expect(scene.lines).toEqual(['0 x: a', '0 y: a']);
});
