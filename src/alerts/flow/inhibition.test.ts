import { expect, test } from 'vitest';
import { is } from '../../../test/support/alert-scene.js';
import type { Labels } from '../alert.js';
import { inhibitor } from './inhibition.js';
import type { Inhibition } from './routing.js';

// https://prometheus.io/docs/alerting/latest/configuration/#inhibition-related-settings, and inhibit/inhibit_test.go of Alertmanager.
const documented = 'configuration, <inhibit_rule>';
const tested = 'inhibit/inhibit_test.go';

const outage: Inhibition = {
  name: 'outage',
  source_matchers: [is('scope', 'zone')],
  target_matchers: [is('scope', 'host')],
  equal: ['zone'],
};
const both: Inhibition = { name: 'both', source_matchers: [is('cause', 'yes')], target_matchers: [is('page', 'yes')], equal: ['zone'] };
const anyEqual: Inhibition = { ...outage, equal: [] };

const cases: [string, string, Inhibition[], Labels[], Labels, boolean][] = [
  [
    'a target is inhibited by a source of the same values',
    documented,
    [outage],
    [{ scope: 'zone', zone: 'a' }],
    { scope: 'host', zone: 'a' },
    true,
  ],
  ['other labels do not matter', tested, [outage], [{ scope: 'zone', zone: 'a', x: '1' }], { scope: 'host', zone: 'a', x: '2' }, true],
  ['without a source nothing is', tested, [outage], [], { scope: 'host', zone: 'a' }, false],
  ['nor by a source of another value', tested, [outage], [{ scope: 'zone', zone: 'a' }], { scope: 'host', zone: 'b' }, false],
  ['nor is what the target does not match', tested, [outage], [{ scope: 'zone', zone: 'a' }], { scope: 'disk', zone: 'a' }, false],
  ['without `equal` any source will do', tested, [anyEqual], [{ scope: 'zone', zone: 'a' }], { scope: 'host', zone: 'b' }, true],
  ['labels that both lack are equal', documented, [outage], [{ scope: 'zone' }], { scope: 'host' }, true],
  ['an absent label equals an empty one', documented, [outage], [{ scope: 'zone', zone: '' }], { scope: 'host' }, true],
  ['an absent label equals no other value', documented, [outage], [{ scope: 'zone' }], { scope: 'host', zone: 'a' }, false],
  [
    'what is on both sides does not inhibit itself',
    documented,
    [both],
    [{ cause: 'yes', page: 'yes' }],
    { cause: 'yes', page: 'yes' },
    false,
  ],
  [
    'nor do two of those inhibit each other',
    documented,
    [both],
    [
      { cause: 'yes', page: 'yes', n: '1' },
      { cause: 'yes', page: 'yes', n: '2' },
    ],
    { cause: 'yes', page: 'yes', n: '1' },
    false,
  ],
  ['one that is only a source inhibits what is on both sides', tested, [both], [{ cause: 'yes' }], { cause: 'yes', page: 'yes' }, true],
  ['one on both sides inhibits what is only a target', tested, [both], [{ cause: 'yes', page: 'yes' }], { page: 'yes' }, true],
  ['any of several rules is enough', tested, [outage, both], [{ cause: 'yes' }], { page: 'yes', scope: 'host' }, true],
  [
    'a negative target matches what lacks the label',
    tested,
    [{ ...outage, target_matchers: [{ label: 'scope', operator: '!=', value: 'zone' }] }],
    [{ scope: 'zone' }],
    {},
    true,
  ],
];

test.each(cases)('%s (%s)', (_sentence, _source, rules, active, target, expected) => {
  const found = inhibitor(
    rules,
    active.map((labels, index) => ({ id: `${index}`, labels })),
  )(target);
  expect(found.length > 0).toBe(expected);
});
