import { expect, test } from 'vitest';
import { readAlerts, readFilters, readSilence } from './read.js';

test('alerts are read as Prometheus posts them', () => {
  const posted = {
    labels: { alertname: 'Down', job: 'api', empty: '' },
    annotations: { summary: 'gone' },
    startsAt: '2026-01-01T00:00:00.123456789Z',
    endsAt: '0001-01-01T00:00:00Z',
    generatorURL: 'http://prometheus:9090/graph?g0.expr=up',
  };
  expect(readAlerts([posted]).alerts).toEqual([
    {
      labels: { alertname: 'Down', job: 'api' },
      annotations: { summary: 'gone' },
      startsAt: '2026-01-01T00:00:00.123Z',
      generatorURL: posted.generatorURL,
    },
  ]);
});

test.each([
  [{}, 'labels', 'must be a JSON object'],
  [{ labels: { job: 'a' } }, 'labels.alertname', 'must be given'],
  [{ labels: { alertname: 'a', 'b c': 'x' } }, 'labels.b c', 'must be named by'],
  [{ labels: { alertname: 1 } }, 'labels.alertname', 'must be text'],
  [{ labels: { alertname: 'a' }, startsAt: 'now' }, 'startsAt', 'must be a time'],
  [{ labels: { alertname: 'a' }, startsAt: '2026-01-02T00:00:00Z', endsAt: '2026-01-01T00:00:00Z' }, 'endsAt', 'must not be before'],
])('an alert that is %j is refused, and the others of its batch are not', (alert, field, message) => {
  const { alerts, problems } = readAlerts([{ labels: { alertname: 'good' } }, alert]);
  expect(alerts).toEqual([{ labels: { alertname: 'good' }, annotations: {} }]);
  expect(problems).toEqual([{ field: `[1].${field}`, message: expect.stringContaining(message) as string }]);
});

test('what is no list is refused, and words that are too long are cut', () => {
  expect(() => readAlerts({})).toThrow('body: must be a list');
  const { alerts } = readAlerts([{ labels: { alertname: 'a' }, annotations: { description: 'x'.repeat(9_000) } }]);
  expect(alerts[0]!.annotations['description']).toHaveLength(4_096);
});

test.each([
  ['severity="critical"', { label: 'severity', operator: '=', value: 'critical' }],
  ['queue=~"a|b"', { label: 'queue', operator: '=~', value: 'a|b' }],
  ['queue!~"a\\\\d"', { label: 'queue', operator: '!~', value: 'a\\d' }],
  ['job != "x\\"y"', { label: 'job', operator: '!=', value: 'x"y' }],
  ['job=api', { label: 'job', operator: '=', value: 'api' }],
])('the filter %s is read', (filter, matcher) => {
  expect(readFilters(filter)).toEqual([matcher]);
});

test('a filter that is no matcher is refused', () => {
  expect(() => readFilters(['a="b"', 'nonsense'])).toThrow('filter: must be a matcher');
});

test('a silence needs matchers and a future end', () => {
  const silence = {
    matchers: [{ name: 'a', value: 'b', isRegex: false }],
    startsAt: '2026-01-01T00:00:00Z',
    endsAt: '2999-01-01T00:00:00Z',
    createdBy: 'me',
    comment: 'why',
  };
  expect(readSilence(silence).matchers).toEqual([{ label: 'a', operator: '=', value: 'b' }]);
  expect(() => readSilence({ ...silence, matchers: [] })).toThrow('matchers: must be a list of 1 to 50');
  expect(() => readSilence({ ...silence, endsAt: '2026-01-02T00:00:00Z' })).toThrow('endsAt: must be in the future');
  expect(() => readSilence({ ...silence, endsAt: '2025-01-02T00:00:00Z' })).toThrow('endsAt: must be after startsAt');
});
