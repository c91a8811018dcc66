import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasProgram, startAlertmanager, startPrometheus, type Program } from '../support/prometheus.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { until } from '../support/until.js';

const hasAll = ['prometheus', 'prometheus-alertmanager', 'amtool'].every(hasProgram);
const suite = hasAll ? 'real ones' : 'real ones (skipped: prometheus, prometheus-alertmanager and amtool are not all on the PATH)';

describe.skipIf(!hasAll)(`alerts between us, Prometheus and Alertmanager: ${suite}`, () => {
  let server: TestServer;
  let directory: string;
  let headers: string;

  beforeAll(async () => {
    server = await startTestServer({ HTTP_ALLOW_HOSTS: '127.0.0.1' });
    directory = mkdtempSync(join(tmpdir(), 'arkitect-alerts-'));
    headers = join(directory, 'http.yml');
    writeFileSync(headers, JSON.stringify({ authorization: { credentials: server.token } }));
  });
  afterAll(async () => {
    await server.close();
    rmSync(directory, { recursive: true, force: true });
  });

  async function amtool(...args: string[]): Promise<string> {
    const common = [`--alertmanager.url=${server.url}`, `--http.config.file=${headers}`, '--output=json'];
    return (await promisify(execFile)('amtool', [...common, ...args])).stdout;
  }

  async function withPrometheus(expression: string, use: () => Promise<void>): Promise<void> {
    const rules = join(directory, 'rules.yml');
    const rule = {
      alert: 'FromPrometheus',
      expr: expression,
      labels: { severity: 'page', team: 'data' },
      annotations: { summary: 'It is so.' },
    };
    writeFileSync(rules, JSON.stringify({ groups: [{ name: 'g', rules: [rule] }] }));
    const prometheus = await startPrometheus({
      global: { evaluation_interval: '1s' },
      rule_files: [rules],
      alerting: {
        alertmanagers: [{ static_configs: [{ targets: [new URL(server.url).host] }], authorization: { credentials: server.token } }],
      },
    });
    try {
      await use();
    } finally {
      await prometheus.close();
    }
  }

  const statusOf = async (name: string): Promise<string> => (await server.api('GET', `/alerts?name=${name}`)).body.items[0]?.status;

  test('Prometheus has us as its Alertmanager: what it finds is an alert here, and ends here when it is over', async () => {
    // True for some seconds, as seconds go.
    const until20s = Math.ceil(Date.now() / 1_000) + 20;
    await withPrometheus(`vector(time()) < ${until20s}`, async () => {
      await until('the alert is here', async () => (await statusOf('FromPrometheus')) === 'open');
      const [alert] = JSON.parse(await amtool('alert', 'query', 'team=data'));
      expect(alert).toMatchObject({ labels: { alertname: 'FromPrometheus', severity: 'page', team: 'data' }, status: { state: 'active' } });
      expect(JSON.parse(await amtool('alert', 'query', 'team=other'))).toEqual([]);
      await until('it is over', async () => (await statusOf('FromPrometheus')) === 'resolved');
    });
  });

  test('amtool adds an alert, silences it, updates and expires the silence', async () => {
    await amtool('alert', 'add', 'FromAmtool', 'host=db-1', '--annotation=summary=By hand');
    expect(await statusOf('FromAmtool')).toBe('open');
    const id = (await amtool('silence', 'add', '--author=me', '--comment=planned', '--duration=1h', 'host=~db-.'))
      .trim()
      .replaceAll('"', '');
    const [muted] = JSON.parse(await amtool('alert', 'query', '--silenced', 'FromAmtool'));
    expect(muted).toMatchObject({ status: { state: 'suppressed', silencedBy: [id] } });
    await amtool('silence', 'update', '--duration=2h', id);
    const { body } = await server.api('GET', '/alerts/silences?status=active');
    expect(body.items).toMatchObject([{ author: 'me', comment: 'planned', matchers: [{ label: 'host', operator: '=~', value: 'db-.' }] }]);
    expect(JSON.parse(await amtool('silence', 'query'))).toHaveLength(1);
    await amtool('silence', 'expire', body.items[0].id);
    expect(JSON.parse(await amtool('silence', 'query'))).toEqual([]);
    await amtool('cluster', 'show');
  });

  test('a channel hands alerts to an Alertmanager, and tells it when they are over', async () => {
    const alertmanager: Program = await startAlertmanager({ route: { receiver: 'nobody' }, receivers: [{ name: 'nobody' }] });
    try {
      const channel = { name: 'am', kind: 'alertmanager', spec: { url: alertmanager.url } };
      expect((await server.api('POST', '/alerts/channels', channel)).status).toBe(201);
      const { body } = await server.api('POST', '/alerts', {
        name: 'ToAlertmanager',
        labels: { 'a.b/c': 'x' },
        annotations: { summary: 's' },
      });
      const listed = async () =>
        (await (await fetch(`${alertmanager.url}/api/v2/alerts?filter=alertname%3DToAlertmanager`)).json()) as { labels: object }[];
      const [alert] = await until('it is there', async () => {
        const alerts = await listed();
        return alerts.length === 1 && alerts;
      });
      expect(alert!.labels).toEqual({ alertname: 'ToAlertmanager', severity: 'warning', a_b_c: 'x' });
      await server.api('POST', `/alerts/${body.id}/resolve`, {});
      await until('it is over there', async () => (await listed()).length === 0);
    } finally {
      await alertmanager.close();
    }
  });
});
