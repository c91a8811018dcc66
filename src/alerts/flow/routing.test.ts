import { expect, test } from 'vitest';
import { is, routingOf } from '../../../test/support/alert-scene.js';
import { anAlert } from '../../../test/support/notification.js';
import { groupKey, groupLabels, groupsOf, labelled } from './grouping.js';
import { notifications } from './notification.js';
import { matchedLabels, routesOf } from './routing.js';

// What Alertmanager documents at https://prometheus.io/docs/alerting/latest/configuration/#route, for routes in one list.
const routing = routingOf(
  {},
  {
    routes: [
      { name: 'live', matchers: [is('team', 'storage'), is('stage', 'live')], continue: true },
      { name: 'storage', matchers: [is('team', 'storage')] },
      { name: 'network', matchers: [{ label: 'team', operator: '=~', value: 'net(work)?' }] },
      { name: 'team', matchers: [{ label: 'team', operator: '!=', value: '' }] },
    ],
  },
);

test.each([
  ['what matches no route takes the default one', {}, ['default']],
  ['the first route that matches ends the search', { team: 'network' }, ['network']],
  ['a regular expression matches all of the value', { team: 'networks' }, ['team']],
  ['all matchers must match', { team: 'storage', stage: 'trial' }, ['storage']],
  ['`continue` goes on with the routes after it', { team: 'storage', stage: 'live' }, ['live', 'storage']],
  ['an absent label is an empty one', { stage: 'live' }, ['default']],
])('%s', (_sentence, labels, names) => {
  expect(routesOf(routing, labels).map(({ name }) => name)).toEqual(names);
});

test.each([
  [['alertname', 'zone'], { zone: 'a', disk: 'b' }, { alertname: 'x', zone: 'a' }],
  [['zone'], {}, {}],
  [['zone'], { zone: '' }, {}],
  [[], { zone: 'a' }, {}],
  [['severity'], {}, { severity: 'warning' }],
  [['...'], { zone: 'a' }, { alertname: 'x', zone: 'a' }],
])('grouping by %j, x with %j is in the group of %j', (groupBy, labels, expected) => {
  expect(groupLabels(groupBy, labelled(anAlert({ name: 'x', labels })))).toEqual(expected);
});

test('matchers see the name, whatever labels say, and the severity and the source where no label does', () => {
  const alert = { name: 'Backlog', severity: 'critical', source: 'api' } as const;
  const own = { queue: 'mail', severity: 'none', alertname: 'other' };
  expect(matchedLabels({ ...alert, labels: own })).toEqual({ queue: 'mail', severity: 'none', alertname: 'Backlog', source: 'api' });
  expect(matchedLabels({ ...alert, labels: { source: 'db' } })).toMatchObject({ source: 'db' });
});

test('a group is known by its route and its labels, in whatever order they come', () => {
  expect(groupKey('r', { a: '1', b: '2' })).toBe(groupKey('r', { b: '2', a: '1' }));
  expect(groupKey('r', { a: '1' })).not.toBe(groupKey('s', { a: '1' }));
  const members = ['1', '2'].map((host) => labelled(anAlert({ id: host, labels: { host } })));
  expect([...groupsOf(routingOf({ group_by: ['alertname'] }), members).values()]).toMatchObject([{ members }]);
});

test('a notification says what its alerts have in common, and channels share one where they hear the same', () => {
  const one = labelled(anAlert({ id: '1', labels: { zone: 'x', host: '1' }, annotations: { summary: 's', owner: 'o' } }));
  const two = labelled(anAlert({ id: '2', labels: { zone: 'x', host: '2' }, annotations: { summary: 's' }, status: 'resolved' }));
  const told = notifications('key', { zone: 'x' }, new Map(Object.entries({ a: [one, two], b: [two], c: [one, two], d: [] })));
  expect(told.map(({ channels, content }) => [channels, content.status])).toEqual([
    [['a', 'c'], 'firing'],
    [['b'], 'resolved'],
  ]);
  expect(told[0]).toMatchObject({
    group_key: 'key',
    content: { group_labels: { zone: 'x' }, common_annotations: { summary: 's' }, alerts: [one.alert, two.alert] },
  });
  expect(told[0]!.content.common_labels).toEqual({ zone: 'x', alertname: 'Backlog', severity: 'warning', source: 'api' });
});

test('a large group comes in several notifications, all of which say whether it is over', () => {
  const many = Array.from({ length: 501 }, (_, index) => labelled(anAlert({ id: `${index}`, status: index < 500 ? 'open' : 'resolved' })));
  const told = notifications('key', {}, new Map([['a', many]]));
  expect(told.map(({ content }) => [content.status, content.alerts.length])).toEqual([
    ['firing', 500],
    ['firing', 1],
  ]);
});
