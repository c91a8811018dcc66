import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { forgetAlerts } from '../support/forget-alerts.js';
import { startHttpSink, type HttpSink } from '../support/http-sink.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { until } from '../support/until.js';

let server: TestServer;
let sink: HttpSink;

beforeAll(async () => {
  sink = await startHttpSink();
  server = await startTestServer({ HTTP_ALLOW_HOSTS: '127.0.0.1' });
  const channel = { name: 'ops', kind: 'webhook', spec: { url: sink.url } };
  expect((await server.api('POST', '/alerts/channels', channel)).status).toBe(201);
});
afterAll(async () => {
  await server.close();
  await sink.close();
});
beforeEach(async () => {
  await forgetAlerts(server.server.kernel.database);
  sink.received.length = 0;
});

const down = {
  labels: { alertname: 'InstanceDown', instance: 'db-1', severity: 'page' },
  annotations: { summary: 'db-1 is gone.', runbook_url: 'https://example.com/down' },
  startsAt: '2026-01-01T00:00:00.000Z',
  generatorURL: 'http://prometheus:9090/graph?g0.expr=up',
};
const soon = (minutes: number) => new Date(Date.now() + minutes * 60_000).toISOString();

async function post(...alerts: object[]): Promise<void> {
  const answer = await server.api('POST', '/api/v2/alerts', alerts);
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
}

async function names(query = ''): Promise<string[]> {
  const { body } = await server.api('GET', `/api/v2/alerts${query}`);
  return body.map(({ labels }: { labels: { alertname: string } }) => labels.alertname).toSorted();
}

test('an alert of Prometheus is an alert here, is told, and ends as it says', async () => {
  await post(down, { ...down, annotations: { summary: 'The later one counts.' } });
  const { body } = await server.api('GET', '/alerts');
  expect(body.items).toMatchObject([
    {
      name: 'InstanceDown',
      severity: 'critical',
      source: 'alertmanager-api',
      labels: { instance: 'db-1', severity: 'page' },
      annotations: { summary: 'The later one counts.' },
      started_at: down.startsAt,
    },
  ]);
  await until('it is told', () => sink.received.some(({ body: text }) => text.includes('"status":"firing"')));
  await post({ ...down, endsAt: soon(-1) });
  expect(await names()).toEqual([]);
  await until('its end is told', () => sink.received.some(({ body: text }) => text.includes('"status":"resolved"')));
  expect(sink.received).toHaveLength(2);
});

test('an alert is listed as it was posted, with who is told of it', async () => {
  await post(down);
  const [listed] = (await server.api('GET', '/api/v2/alerts')).body;
  expect(listed).toMatchObject({
    labels: down.labels,
    annotations: { summary: 'db-1 is gone.' },
    startsAt: down.startsAt,
    generatorURL: down.generatorURL,
    receivers: [{ name: 'ops' }],
    status: { state: 'active', silencedBy: [], inhibitedBy: [], mutedBy: [] },
  });
  // Without an end it ends when it is not repeated for five minutes.
  expect(Date.parse(listed.endsAt) - Date.now()).toBeGreaterThan(240_000);
  const [group] = (await server.api('GET', '/api/v2/alerts/groups')).body;
  expect(group).toMatchObject({ receiver: { name: 'ops' }, alerts: [{ labels: down.labels }] });
  expect((await server.api('GET', '/api/v2/receivers')).body).toEqual([{ name: 'ops' }]);
});

test('lists are narrowed by matchers, receiver and state', async () => {
  await post(down, { labels: { alertname: 'Slow', queue: 'mail' } });
  expect(await names()).toEqual(['InstanceDown', 'Slow']);
  expect(await names('?filter=queue%3D%22mail%22')).toEqual(['Slow']);
  expect(await names('?filter=queue%3D~%22m.*%22&filter=alertname!%3D%22Slow%22')).toEqual([]);
  expect(await names('?filter=severity%3D%22page%22')).toEqual(['InstanceDown']);
  expect(await names('?receiver=op.')).toEqual(['InstanceDown', 'Slow']);
  expect(await names('?receiver=op')).toEqual([]);
  expect(await names('?active=false')).toEqual([]);
  for (const query of ['?filter=nonsense', '?filter=a%3D~%22(%22', '?receiver=(']) {
    expect((await server.api('GET', `/api/v2/alerts${query}`)).body).toMatchObject({ code: 'VALIDATION_FAILED' });
  }
});

test('one bad alert does not hold up its batch', async () => {
  const answer = await server.api('POST', '/api/v2/alerts', [{ labels: { job: 'x' } }, down]);
  expect(answer.status).toBe(400);
  expect(answer.body.errors).toEqual([{ field: '[0].labels.alertname', message: 'must be given' }]);
  expect(await names()).toEqual(['InstanceDown']);
});

test('a silence of amtool mutes, is changed in place, is replaced, and is ended', async () => {
  const silence = {
    matchers: [{ name: 'instance', value: 'db-[5-9]', isRegex: true }],
    startsAt: soon(-1),
    endsAt: soon(10),
    createdBy: 'me',
    comment: 'planned',
  };
  const muted = { ...down, labels: { ...down.labels, instance: 'db-7' } };
  const isTold = () => sink.received.some(({ body }) => body.includes('db-7'));
  const create = async (body: object) => (await server.api('POST', '/api/v2/silences', body)).body.silenceID as string;
  const id = await create(silence);
  await post(muted);
  expect((await server.api('GET', '/api/v2/alerts')).body).toMatchObject([{ status: { state: 'suppressed', silencedBy: [id] } }]);
  expect(await names('?silenced=false')).toEqual([]);
  expect((await server.api('GET', `/api/v2/silence/${id}`)).body).toMatchObject({
    matchers: [{ name: 'instance', value: 'db-[5-9]', isRegex: true, isEqual: true }],
    createdBy: 'me',
    comment: 'planned',
    status: { state: 'active' },
  });
  expect(await create({ ...silence, id, endsAt: soon(20) })).toBe(id);
  expect(isTold()).toBe(false);
  const other = await create({ ...silence, id, matchers: [{ name: 'instance', value: 'db-2', isRegex: false }] });
  expect(other).not.toBe(id);
  const { body: all } = await server.api('GET', '/api/v2/silences');
  expect(all.map((one: { id: string; status: { state: string } }) => [one.id, one.status.state])).toEqual([
    [other, 'active'],
    [id, 'expired'],
  ]);
  expect((await server.api('GET', '/api/v2/silences?filter=instance%3D%22db-2%22')).body).toHaveLength(1);
  expect((await server.api('DELETE', `/api/v2/silence/${other}`)).status).toBe(200);
  expect((await server.api('GET', `/api/v2/silence/${other}`)).body.status).toEqual({ state: 'expired' });
  await until('the alert is told at last', isTold);
});

test('what is wrong with a silence is named', async () => {
  const silence = {
    matchers: [{ name: 'a', value: '(', isRegex: true }],
    startsAt: soon(0),
    endsAt: soon(1),
    createdBy: 'me',
    comment: 'x',
  };
  const fieldOf = async (body: object) => (await server.api('POST', '/api/v2/silences', body)).body.errors?.[0].field as string;
  expect(await fieldOf(silence)).toBe('matchers[0].value');
  expect(await fieldOf({ ...silence, matchers: [] })).toBe('matchers');
  expect(await fieldOf({ ...silence, matchers: [{ name: 'a', value: 'b', isRegex: false }], endsAt: soon(-1) })).toBe('endsAt');
  const unknown = await server.api('GET', '/api/v2/silence/0198f3c2-7d1e-7a55-9b5e-3f0c8a1d2e4b');
  expect(unknown.status).toBe(404);
  expect((await server.api('DELETE', '/api/v2/silence/x')).status).toBe(400);
});
