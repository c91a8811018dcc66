import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../support/free-port.js';
import { GrpcClient } from '../support/grpc.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { ask, connectSocket } from '../support/socket-client.js';
import { until } from '../support/until.js';

const deploy = join(import.meta.dirname, '../../deploy');
const rules = join(deploy, 'prometheus/rules/arkitect.yml');

const hasPrometheus = spawnSync('promtool', ['--version']).status === 0;
const suite = hasPrometheus ? 'a real Prometheus' : 'a real Prometheus (skipped: there is no promtool on the PATH)';

describe.skipIf(!hasPrometheus)(`before ${suite}`, () => {
  let server: TestServer;
  let prometheus: ChildProcess;
  let directory: string;
  let url: string;

  beforeAll(async () => {
    server = await startTestServer({ METRICS_INTERVAL_SECONDS: '1' });
    directory = mkdtempSync(join(tmpdir(), 'arkitect-prometheus-'));
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    const config = {
      global: { scrape_interval: '1s', evaluation_interval: '1s' },
      rule_files: [rules],
      scrape_configs: [
        {
          job_name: 'arkitect',
          static_configs: [{ targets: [new URL(server.url).host] }],
          authorization: { credentials: server.token },
        },
      ],
    };
    // JSON is YAML, too.
    writeFileSync(join(directory, 'prometheus.yml'), JSON.stringify(config));
    const args = [
      `--config.file=${join(directory, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(directory, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--enable-feature=exemplar-storage',
    ];
    prometheus = spawn('prometheus', args, { stdio: 'ignore' });
    await until('Prometheus to be ready', () =>
      fetch(`${url}/-/ready`).then(
        (answer) => answer.ok,
        () => false,
      ),
    );
  });
  afterAll(async () => {
    const ended = once(prometheus, 'exit');
    prometheus.kill();
    await ended;
    await server.close();
    rmSync(directory, { recursive: true, force: true });
  });

  async function query(expression: string): Promise<number | undefined> {
    const answer = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(expression)}`);
    const { data } = (await answer.json()) as { data: { result: { value: [number, string] }[] } };
    const [first] = data.result;
    return first && Number(first.value[1]);
  }

  test('scrapes the default path, and finds tasks, durations and requests there', async () => {
    await server.api('POST', '/tasks?wait=20', { name: 'scraped', start: 'auto', queue: 'scraped' });
    await until('a scrape', async () => (await query('up{job="arkitect"}')) === 1);
    const labels = 'queue="scraped",type="echo"';
    await until('the task', async () => (await query(`arkitect_tasks{${labels},status="completed"}`)) === 1);
    expect(await query(`arkitect_tasks_finished_total{${labels},status="completed"}`)).toBe(1);
    expect(await query(`histogram_quantile(0.5, sum by (le) (arkitect_task_run_seconds_bucket{${labels}}))`)).toBeGreaterThan(0);
    const scrapes = 'sum(arkitect_http_request_duration_seconds_count{route="/metrics"})';
    await until('a scrape that tells of another', async () => ((await query(scrapes)) ?? 0) > 0);
    expect(await query('arkitect_leader')).toBe(1);
  });

  test('keeps the trace of a slow request as an exemplar', async () => {
    const trace_id = '4bf92f3577b34da6a3ce929d0e0e4736';
    const traceparent = `00-${trace_id}-00f067aa0ba902b7-01`;
    await server.api('POST', '/tasks?wait=20', { name: 'slow', type: 'sleep', parameters: { seconds: 1 }, start: 'auto' }, { traceparent });
    const now = Date.now() / 1_000;
    const what = new URLSearchParams({
      query: 'arkitect_http_request_duration_seconds_bucket{route="/tasks"}',
      start: String(now - 60),
      end: String(now + 60),
    });
    await until('the exemplar', async () => {
      const { data } = (await (await fetch(`${url}/api/v1/query_exemplars?${what.toString()}`)).json()) as {
        data: { seriesLabels: { le: string }; exemplars: { labels: { trace_id: string } }[] }[];
      };
      return data.some(
        ({ seriesLabels: { le }, exemplars }) => le === '2.5' && exemplars.some(({ labels }) => labels.trace_id === trace_id),
      );
    });
  });

  test('every query of the dashboard and every recorded series has data', async () => {
    await makeSomething();
    const expressions = [...dashboardQueries(), ...recorded()];
    expect(expressions.length).toBeGreaterThan(30);
    for (const expression of expressions) await until(`data for ${expression}`, async () => (await query(expression)) !== undefined);
  });

  /** Something of everything that the dashboard shows. */
  async function makeSomething(): Promise<void> {
    const grpc = new GrpcClient(server.server.grpcAddress, server.token);
    const socket = await connectSocket(`${server.url}/tasks`, { auth: { token: server.token } });
    // Somebody runs the type, but not in the queue in which it waits.
    const announced = await server.api('POST', '/workers/poll', {
      name: 'gone',
      instance: 'gone-0001',
      types: ['nobody.runs'],
      queues: ['elsewhere'],
      wait_seconds: 0,
    });
    expect(announced.status).toBe(200);
    expect((await server.api('POST', '/tasks', { name: 'waits', type: 'nobody.runs', start: 'auto' })).status).toBe(201);
    // Rates need a second sample of each series.
    for (let round = 0; round < 2; round++) {
      await server.api('POST', '/tasks?wait=20', { name: 'done', start: 'auto' });
      await server.api('POST', '/tasks?wait=20', {
        name: 'fails',
        type: 'sleep',
        parameters: { seconds: 9 },
        timeout_seconds: 1,
        start: 'auto',
      });
      await grpc.call('ListTasks', {});
      await ask(socket, 'list', {});
      const before = await query('scrape_duration_seconds and timestamp(up)');
      await until('another scrape', async () => (await query('scrape_duration_seconds and timestamp(up)')) !== before);
    }
    grpc.close();
    socket.disconnect();
  }

  function dashboardQueries(): string[] {
    const { panels } = JSON.parse(readFileSync(join(deploy, 'grafana/dashboards/arkitect.json'), 'utf8')) as {
      panels: { targets?: { expr: string }[] }[];
    };
    return panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr.replaceAll('$__rate_interval', '1m')));
  }

  function recorded(): string[] {
    return [...readFileSync(rules, 'utf8').matchAll(/- record: (.+)/g)].map(([, name]) => name!);
  }

  test('promtool takes the rules and the configuration of deploy/', () => {
    const check = (...args: string[]) => spawnSync('promtool', ['check', ...args], { encoding: 'utf8' });
    for (const checked of [
      check('rules', '--lint-fatal', rules),
      check('config', '--syntax-only', join(deploy, 'prometheus/prometheus.yml')),
    ])
      expect(checked.status, checked.stdout + checked.stderr).toBe(0);
  });

  test('promtool finds nothing to object to', async () => {
    const { body } = await server.api('GET', '/metrics/prometheus');
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: body as string, encoding: 'utf8' });
    expect(`${stdout}${stderr}`.trim()).toBe('');
    expect(status).toBe(0);
  });
});
