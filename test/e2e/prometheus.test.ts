import { afterAll, beforeAll, expect, test } from 'vitest';
import { GrpcClient } from '../support/grpc.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { ask, closeSockets, connectSocket } from '../support/socket-client.js';
import { until } from '../support/until.js';

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer({ METRICS_INTERVAL_SECONDS: '1' });
});
afterAll(async () => {
  closeSockets();
  await server.close();
});

interface Line {
  name: string;
  labels: Record<string, string>;
  value: number;
}

async function scrape(path = '/metrics/prometheus', accept = 'text/plain') {
  const { status, headers, body } = await server.api('GET', path, undefined, { accept });
  expect(status).toBe(200);
  return { type: headers.get('content-type')!, text: body as string, lines: linesOf(body as string) };
}

function linesOf(text: string): Line[] {
  return text
    .split('\n')
    .filter((line) => line && !line.startsWith('#'))
    .map((line) => {
      const [, name, labels = '', value] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? ([^ ]+)$/.exec(line) ?? [];
      if (!name) throw new Error(`Not a line of the format: ${line}`);
      const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, text]) => [key!, text!]);
      return { name, labels: Object.fromEntries(pairs) as Record<string, string>, value: Number(value) };
    });
}

function valueOf(lines: Line[], name: string, labels: Record<string, string> = {}): number | undefined {
  return lines.find((line) => line.name === name && Object.entries(labels).every(([key, value]) => line.labels[key] === value))?.value;
}

test('tasks, attempts and durations are told by queue and type', async () => {
  await server.api('POST', '/tasks?wait=20', { name: 'done', start: 'auto', queue: 'prom' });
  await server.api('POST', '/tasks', { name: 'pending', queue: 'prom' });
  const labels = { queue: 'prom', type: 'echo' };
  const { lines } = await until('the leader has looked', async () => {
    const scraped = await scrape();
    return valueOf(scraped.lines, 'arkitect_tasks', { ...labels, status: 'pending' }) === 1 && scraped;
  });
  expect(valueOf(lines, 'arkitect_tasks', { ...labels, status: 'completed' })).toBe(1);
  expect(valueOf(lines, 'arkitect_tasks_created_total', labels)).toBe(2);
  expect(valueOf(lines, 'arkitect_tasks_finished_total', { ...labels, status: 'completed' })).toBe(1);
  expect(valueOf(lines, 'arkitect_task_attempts_total', { ...labels, outcome: 'completed' })).toBe(1);
  expect(valueOf(lines, 'arkitect_task_run_seconds_count', labels)).toBe(1);
  expect(valueOf(lines, 'arkitect_task_run_seconds_bucket', { ...labels, le: '+Inf' })).toBe(1);
  expect(valueOf(lines, 'arkitect_task_wait_seconds_sum', labels)).toBeGreaterThanOrEqual(0);
  for (const name of [
    'arkitect_cpu_usage',
    'arkitect_leader',
    'arkitect_replicas',
    'process_resident_memory_bytes',
    'nodejs_eventloop_lag_p99_seconds',
  ])
    expect(valueOf(lines, name), name).toBeGreaterThanOrEqual(0);
  expect(valueOf(lines, 'arkitect_runner_slots', { state: 'free' })).toBe(16);
  expect(valueOf(lines, 'arkitect_database_query_duration_seconds_count', { statement: 'enqueue' })).toBeGreaterThanOrEqual(2);
  expect(valueOf(lines, 'arkitect_engine_batch_size_count', { transition: 'create' })).toBeGreaterThanOrEqual(2);
});

test('requests are told by route, call and message, never by what a caller has sent', async () => {
  const { id } = (await server.api('POST', '/tasks', { name: 'counted' })).body;
  await server.api('GET', `/tasks/${id}`);
  for (let index = 0; index < 200; index++) await server.api('GET', `/made-up/${index}?q=${index}`);
  const grpc = new GrpcClient(server.server.grpcAddress, server.token);
  await grpc.call('GetTask', { id });
  await expect(grpc.call('GetTask', { id: 'x' })).rejects.toMatchObject({ code: 3 });
  grpc.close();
  const socket = await connectSocket(`${server.url}/tasks`, { auth: { token: server.token } });
  await ask(socket, 'get', { id });
  await ask(socket, 'get', { id: 'x' });
  await ask(socket, 'made-up', {});
  const { lines, text } = await scrape();
  const http = 'arkitect_http_request_duration_seconds_count';
  expect(valueOf(lines, http, { method: 'GET', route: '/tasks/:id', status: '200' })).toBe(1);
  expect(valueOf(lines, http, { route: 'other', status: '404' })).toBe(200);
  expect(valueOf(lines, 'arkitect_grpc_call_duration_seconds_count', { method: 'TaskService/GetTask', status: 'OK' })).toBe(1);
  expect(valueOf(lines, 'arkitect_grpc_call_duration_seconds_count', { method: 'TaskService/GetTask', status: 'INVALID_ARGUMENT' })).toBe(
    1,
  );
  const message = { namespace: '/tasks', message: 'get' };
  expect(valueOf(lines, 'arkitect_socket_message_duration_seconds_count', { ...message, outcome: 'ok' })).toBe(1);
  expect(valueOf(lines, 'arkitect_socket_message_duration_seconds_count', { ...message, outcome: 'error' })).toBe(1);
  expect(text).not.toContain('made-up');
  expect(text).not.toContain(id);
});

test('every metric says what it is, and no series comes twice', async () => {
  const { text, lines } = await scrape();
  const helps = new Map([...text.matchAll(/^# HELP (\S+) (.+)$/gm)].map(([, name, help]) => [name!, help!]));
  const types = new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name!, type!]));
  const families = new Set(lines.map(({ name }) => (types.has(name) ? name : name.replace(/_(bucket|sum|count)$/, ''))));
  for (const family of families) expect([family, helps.get(family), types.get(family)]).not.toContain(undefined);
  const series = lines.map(({ name, labels }) => JSON.stringify([name, Object.entries(labels).map(String).toSorted()]));
  expect(series.filter((one, index) => series.indexOf(one) !== index)).toEqual([]);
});

test('a scraper of /metrics gets the text, and everybody else JSON', async () => {
  expect((await scrape('/metrics')).type).toBe('text/plain; version=0.0.4; charset=utf-8');
  const open = await server.api('GET', '/metrics', undefined, { accept: 'application/openmetrics-text; version=1.0.0' });
  expect(open.headers.get('content-type')).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
  expect(open.body).toMatch(/# EOF\n$/);
  expect(open.body).toMatch(/^# TYPE arkitect_tasks_created counter$/m);
  expect(open.body).toMatch(/^arkitect_tasks_created_total\{/m);
  expect((await server.api('GET', '/metrics', undefined, { accept: '*/*' })).body).toMatchObject({ task_metrics: {} });
});

test('two servers of one process do not mix their counts', async () => {
  const other = await startTestServer();
  try {
    await other.api('GET', '/tasks');
    const { lines } = await scrape();
    expect(valueOf(lines, 'arkitect_http_request_duration_seconds_count', { route: '/tasks', method: 'GET' })).toBeUndefined();
  } finally {
    await other.close();
  }
});
