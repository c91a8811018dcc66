import type { Socket } from 'socket.io-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { streamEvents } from '../support/event-stream.js';
import { GrpcClient } from '../support/grpc.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { ask, closeSockets, connectSocket } from '../support/socket-client.js';
import { until } from '../support/until.js';

let server: TestServer;
let socket: Socket;
let grpc: GrpcClient;
const service = 'arkitect.v1.MetricsService';

beforeAll(async () => {
  server = await startTestServer({ METRICS_INTERVAL_SECONDS: '1', RUNNER_SLOTS: '4' });
  socket = await connectSocket(`${server.url}/metrics`, { auth: { token: server.token } });
  grpc = new GrpcClient(server.server.grpcAddress, server.token);
});
afterAll(async () => {
  closeSockets();
  grpc.close();
  await server.close();
});

function watch() {
  const call = grpc.stream('WatchMetrics', {}, service);
  // It ends by being cancelled.
  call.on('error', () => undefined);
  return call;
}

async function tasks() {
  return (await server.api('GET', '/metrics/tasks')).body;
}

test('numbers of tasks are exact after every transition, on every door', async () => {
  const before = await tasks();
  expect(before).toMatchObject({ total_tasks: 0, pending_tasks: 0, success_rate: null, throughput: 0, by_queue: {} });
  const { id } = (await server.api('POST', '/tasks', { name: 'held', type: 'sleep', parameters: { seconds: 60 }, queue: 'a' })).body;
  expect(await tasks()).toMatchObject({
    total_tasks: 1,
    pending_tasks: 1,
    by_queue: { a: { pending_tasks: 1 } },
    by_type: { sleep: { pending_tasks: 1 } },
  });
  await server.api('POST', `/tasks/${id}/execute`);
  await until('it runs', async () => (await tasks()).running_tasks === 1);
  await server.api('POST', `/tasks/${id}/cancel`);
  await until('it is cancelled', async () => (await tasks()).cancelled_tasks === 1);
  await server.api('POST', '/tasks?wait=20', { name: 'done', start: 'auto', queue: 'b' });
  expect(await tasks()).toMatchObject({ total_tasks: 2, completed_tasks: 1, success_rate: 1, failure_rate: 0 });
  await server.api('POST', '/tasks?wait=20', {
    name: 'fails',
    type: 'sleep',
    parameters: { seconds: 30 },
    timeout_seconds: 1,
    start: 'auto',
    queue: 'b',
  });
  const after = await tasks();
  expect(after).toMatchObject({ total_tasks: 3, completed_tasks: 1, failed_tasks: 1, success_rate: 0.5, failure_rate: 0.5 });
  expect(after.by_queue.b).toMatchObject({ total_tasks: 2, completed_tasks: 1, failed_tasks: 1 });

  const counts = { total_tasks: 3, completed_tasks: 1, failed_tasks: 1, cancelled_tasks: 1 };
  expect(await ask(socket, 'tasks')).toMatchObject(counts);
  expect((await ask(socket, 'get')).task_metrics).toMatchObject(counts);
  expect((await grpc.call('GetMetrics', {}, service)).metrics.task_metrics).toMatchObject({
    all: counts,
    by_queue: { b: { total_tasks: 2 } },
  });
  await server.api('DELETE', `/tasks/${id}`);
  expect(await tasks()).toMatchObject({ total_tasks: 2, cancelled_tasks: 0 });
});

test('the health of the machine and the process is told', async () => {
  const { status, body } = await server.api('GET', '/metrics');
  expect(status).toBe(200);
  expect(body.system_health).toMatchObject({
    cpu_usage: expect.any(Number),
    memory_usage: expect.any(Number),
    disk_usage: expect.any(Number),
    load: [expect.any(Number), expect.any(Number), expect.any(Number)],
    event_loop_lag: expect.any(Number),
    process: { resident_bytes: expect.any(Number) },
  });
  for (const usage of ['cpu_usage', 'memory_usage', 'disk_usage']) {
    expect(body.system_health[usage]).toBeGreaterThanOrEqual(0);
    expect(body.system_health[usage]).toBeLessThanOrEqual(100);
  }
  expect(body).toMatchObject({
    replicas: expect.any(Number),
    database: { latency: expect.any(Number), waiting: 0 },
    workers: { connected: 0 },
  });
});

test('open connections are counted, and what was sampled is in the history, by its labels', async () => {
  await server.api('POST', '/tasks', { name: 'kept', queue: 'kept' });
  const second = await connectSocket(`${server.url}/metrics`, { auth: { token: server.token } });
  const watched = watch();
  // Samples are kept every ten seconds.
  const counted = async (sockets: number, streams: number) => {
    const { websocket_connections, grpc_streams } = (await server.api('GET', '/metrics')).body;
    return websocket_connections === sockets && grpc_streams === streams;
  };
  await until('both are counted', () => counted(2, 1));
  second.disconnect();
  watched.cancel();
  const read = async () =>
    (await server.api('GET', '/metrics/history?metric=arkitect_tasks&label=queue=kept&label=status=pending&step=10')).body;
  await until('there is a sample', async () => (await read()).series.length === 1);
  expect((await read()).series[0]).toMatchObject({ labels: { queue: 'kept', type: 'echo', status: 'pending' }, points: [{ last: 1 }] });
  const { items } = (await server.api('GET', '/metrics/history/names')).body;
  expect(items).toEqual(expect.arrayContaining(['arkitect_tasks', 'arkitect_cpu_usage', 'arkitect_replicas']));
  expect(await ask(socket, 'history_names')).toEqual({ items });
  const message = { metric: 'arkitect_tasks', label: ['queue=kept'], step: 10 };
  expect((await grpc.call('GetMetricHistory', message, service)).series[0].labels).toMatchObject({ queue: 'kept' });
  expect((await ask(socket, 'history', message)).series).toHaveLength(1);
  await until('both are gone', () => counted(1, 0));
});

test('who follows gets an update after a change, on every door', async () => {
  const name = 'realtime';
  const bySocket = new Promise<void>((resolve) => {
    socket.on('metrics_updated', ({ task_metrics }) => task_metrics.by_queue[name]?.completed_tasks === 1 && resolve());
  });
  expect(await ask(socket, 'subscribe')).toMatchObject({ task_metrics: { total_tasks: expect.any(Number) } });
  const controller = new AbortController();
  const response = await fetch(`${server.url}/metrics/realtime`, {
    headers: { authorization: `Bearer ${server.token}`, accept: 'text/event-stream' },
    signal: controller.signal,
  });
  const events = streamEvents(response);
  expect((await events.next()).value).toMatchObject({ event: 'metrics_updated', data: { replica: expect.any(String) } });
  const watched = watch();
  const updates = watched[Symbol.asyncIterator]();
  await updates.next();
  await server.api('POST', '/tasks?wait=20', { name, queue: name, start: 'auto' });
  await bySocket;
  for await (const { data } of events) if (data.task_metrics.by_queue[name]?.completed_tasks === 1) break;
  for await (const { metrics } of { [Symbol.asyncIterator]: () => updates })
    if (metrics.task_metrics.by_queue[name]?.completed_tasks === 1) break;
  watched.cancel();
  controller.abort();
  expect(await ask(socket, 'unsubscribe')).toEqual({});
});

test.each([
  ['metric=1x', 'metric'],
  ['', 'metric'],
  ['metric=a&from=yesterday', 'from'],
  ['metric=a&from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z', 'from'],
  ['metric=a&step=0', 'step'],
  ['metric=a&label=nothing', 'label'],
  ['metric=a&lable=a=b', 'lable'],
])('bad history queries are refused by name: %s', async (query, field) => {
  const { status, body } = await server.api('GET', `/metrics/history?${query}`);
  expect(status).toBe(400);
  expect(body.errors.map((error: { field: string }) => error.field)).toContain(field);
});
