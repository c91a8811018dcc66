import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { GrpcClient } from '../support/grpc.js';
import { HandWorkerStream } from '../support/grpc-worker.js';
import { OtlpSink, type SunkSpan } from '../support/otlp-sink.js';
import { call } from '../support/server.js';
import { buildServer, spawnServer, testToken, type ServerProcess } from '../support/server-process.js';
import { ask, closeSockets, connectSocket } from '../support/socket-client.js';
import { until } from '../support/until.js';

/* Two processes on one database, and a collector that both export to: A takes requests and runs nothing, B runs what there is. */

const authorization = `Bearer ${testToken}`;
const callerSpan = '00f067aa0ba902b7';

let sink: OtlpSink;
let database: TestDatabase;
let a: ServerProcess;
let b: ServerProcess;
let onA: GrpcClient;
let onB: GrpcClient;

beforeAll(async () => {
  buildServer();
  [sink, database] = await Promise.all([OtlpSink.start(), createDatabase()]);
  const settings = { DATABASE_URL: database.url, OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, OTEL_BSP_SCHEDULE_DELAY: '50' };
  a = await spawnServer({ ...settings, RUNNER_SLOTS: '0', OTEL_SERVICE_NAME: 'server-a', OTEL_EXPORTER_OTLP_HEADERS: 'x-api-key=a%20key' });
  b = await spawnServer({ ...settings, OTEL_RESOURCE_ATTRIBUTES: 'service.name=server-b,deployment.environment.name=test' });
  [onA, onB] = [a, b].map(({ output }) => new GrpcClient(/gRPC\s+(\S+:\d+)/.exec(output())![1]!, testToken)) as [GrpcClient, GrpcClient];
});
afterEach(() => {
  closeSockets();
  onA.headers = {};
});
afterAll(async () => {
  onA?.close();
  onB?.close();
  await Promise.all([a?.stop(), b?.stop()]);
  await sink?.[Symbol.asyncDispose]();
  await database?.drop();
});

const create = (body: object, headers: Record<string, string> = {}, path = '/tasks') =>
  call(a.url, 'POST', path, { name: 'traced', start: 'auto', ...body }, { authorization, ...headers });

let count = 0;
const newTraceId = () => (++count).toString(16).padStart(32, '7');

const named = (spans: SunkSpan[], name: string) => spans.filter((span) => span.name === name);
const serviceOf = ({ resource }: SunkSpan) => resource['service.name'];

test('the request on one replica, its queue and the attempt on another are one trace', async () => {
  const trace = newTraceId();
  const headers = { traceparent: `00-${trace}-${callerSpan}-01`, tracestate: 'rojo=1' };
  const { body } = await create({ queue: 'fast' }, headers, '/tasks?wait=20');
  expect(body).toMatchObject({ status: 'completed', trace_id: trace });
  const spans = await sink.trace(trace, 3);
  const [server, producer, consumer] = ['POST /tasks', 'send fast', 'process fast'].map((name) => named(spans, name)[0]!);
  expect(spans).toHaveLength(3);
  expect(server).toMatchObject({
    kind: 'server',
    parent: callerSpan,
    trace_state: 'rojo=1',
    failed: false,
    attributes: {
      'http.request.method': 'POST',
      'http.route': '/tasks',
      'http.response.status_code': 201,
      'arkitect.tenant.id': 'default',
    },
    resource: { 'service.name': 'server-a', 'service.version': expect.any(String), 'service.instance.id': expect.any(String) },
  });
  expect(producer).toMatchObject({ kind: 'producer', parent: server!.span_id, attributes: { 'arkitect.task.id': body.id } });
  expect(consumer).toMatchObject({
    kind: 'consumer',
    parent: producer!.span_id,
    trace_state: 'rojo=1',
    attributes: {
      'messaging.system': 'arkitect',
      'messaging.destination.name': 'fast',
      'arkitect.task.id': body.id,
      'arkitect.task.type': 'echo',
      'arkitect.task.queue': 'fast',
      'arkitect.task.attempt': 1,
      'arkitect.worker.id': body.worker_id,
      'arkitect.attempt.outcome': 'completed',
    },
    resource: { 'service.name': 'server-b', 'deployment.environment.name': 'test' },
  });
  expect(sink.headers.some((headers) => headers['x-api-key'] === 'a key')).toBe(true);
});

test('a request without a trace begins one, which its task shows', async () => {
  const { body } = await create({});
  expect(body.trace_id).toMatch(/^[\da-f]{32}$/);
  const spans = await sink.trace(body.trace_id as string, 3);
  expect(named(spans, 'POST /tasks')).toMatchObject([{ parent: '' }]);
});

test('a remote worker goes on in the trace, and its attempts are siblings', async () => {
  const worker = await HandWorkerStream.start(onB, { name: 'painter', types: ['paint'] });
  const trace = newTraceId();
  const { body } = await create(
    { type: 'paint', max_attempts: 2, backoff: { delay_seconds: 0 } },
    { traceparent: `00-${trace}-${callerSpan}-01` },
  );
  const [first] = await worker.assignments(1);
  await worker.settle({ fail: [{ lease: first!.lease, code: 'NO_PAINT', message: 'what nobody should read' }] });
  const second = (await worker.assignments(2))[1]!;
  await worker.settle({ complete: [{ lease: second.lease }] });
  const spans = await sink.trace(trace, 4);
  const [producer] = named(spans, 'send default');
  const attempts = named(spans, 'process default').sort((one, other) => Number(one.failed) - Number(other.failed));
  expect(attempts.map(serviceOf)).toEqual(['server-b', 'server-b']);
  expect(attempts).toMatchObject([
    { parent: producer!.span_id, failed: false, attributes: { 'arkitect.task.attempt': 2, 'arkitect.worker.id': 'painter@instance-1' } },
    { parent: producer!.span_id, failed: true, attributes: { 'arkitect.task.attempt': 1, 'error.type': 'NO_PAINT' } },
  ]);
  // What the worker does belongs below its attempt.
  expect(second.traceparent).toBe(`00-${trace}-${attempts[0]!.span_id}-01`);
  expect(first!.traceparent).toBe(`00-${trace}-${attempts[1]!.span_id}-01`);
  expect(JSON.stringify(spans)).not.toContain('nobody should read');
  expect(body.trace_id).toBe(trace);
  worker.finish();
});

describe('the other doors', () => {
  test('gRPC calls have spans', async () => {
    const trace = newTraceId();
    onA.headers = { traceparent: `00-${trace}-${callerSpan}-01` };
    await onA.call('CreateTask', { task: { name: 'by gRPC', start: 'auto' } });
    const spans = await sink.trace(trace, 3);
    expect(named(spans, 'arkitect.v1.TaskService/CreateTask')).toMatchObject([
      { kind: 'server', parent: callerSpan, attributes: { 'rpc.system': 'grpc', 'rpc.method': 'CreateTask', 'rpc.grpc.status_code': 0 } },
    ]);
    expect(named(spans, 'process default')).toMatchObject([{ resource: { 'service.name': 'server-b' } }]);
  });

  test('Socket.IO messages have spans', async () => {
    const trace = newTraceId();
    const client = await connectSocket(`${a.url}/tasks`, { auth: { token: testToken } });
    await ask(client, 'create', { name: 'by Socket.IO', start: 'auto', traceparent: `00-${trace}-${callerSpan}-01` });
    const spans = await sink.trace(trace, 3);
    expect(named(spans, '/tasks create')).toMatchObject([{ kind: 'server', parent: callerSpan, attributes: { 'arkitect.status': 200 } }]);
    expect(named(spans, 'process default')).toHaveLength(1);
  });

  test('a bulk has one span for all its tasks', async () => {
    const trace = newTraceId();
    const tasks = Array.from({ length: 5 }, (_, index) => ({ name: `task ${index}`, start: 'auto' }));
    await call(a.url, 'POST', '/tasks/bulk', { tasks }, { authorization, traceparent: `00-${trace}-${callerSpan}-01` });
    const spans = await sink.trace(trace, 7);
    expect(named(spans, 'send default')).toMatchObject([{ attributes: { 'messaging.batch.message_count': 5 } }]);
    expect(new Set(named(spans, 'process default').map(({ parent }) => parent)).size).toBe(1);
  });
});

test('what a caller does not record is not exported, but goes on', async () => {
  const trace = newTraceId();
  const { body } = await create({}, { traceparent: `00-${trace}-${callerSpan}-00` }, '/tasks?wait=20');
  expect(body).toMatchObject({ status: 'completed', trace_id: trace });
  const later = await create({}, {}, '/tasks?wait=20');
  await sink.trace(later.body.trace_id as string, 3);
  expect(sink.spans.some(({ trace_id }) => trace_id === trace)).toBe(false);
});

test('routes are named by their template; probes and paths are not told', async () => {
  await call(a.url, 'GET', '/health/live');
  const { status } = await call(a.url, 'GET', '/tasks/0198f3c2-7d1e-7a55-9b5e-3f0c8a1d2e4b?secret=hush', undefined, { authorization });
  expect(status).toBe(404);
  const span = await until('the span', () => sink.spans.find(({ name }) => name === 'GET /tasks/:id'));
  expect(span).toMatchObject({ failed: false, attributes: { 'http.response.status_code': 404 } });
  expect(JSON.stringify(sink.spans)).not.toMatch(/hush|0198f3c2-7d1e|health/);
});

test('histograms of requests show traces to a scraper of OpenMetrics', async () => {
  const trace = newTraceId();
  await create({ start: 'manual' }, { traceparent: `00-${trace}-${callerSpan}-01` });
  const scrape = async (accept: string) =>
    (await call(a.url, 'GET', '/metrics/prometheus', undefined, { authorization, accept })).body as string;
  const exemplar = new RegExp(
    `^arkitect_http_request_duration_seconds_bucket\\{.*route="/tasks".*\\} \\d+ # \\{trace_id="${trace}"\\} [\\d.]+ [\\d.]+$`,
    'm',
  );
  expect(await scrape('application/openmetrics-text; version=1.0.0')).toMatch(exemplar);
  expect(await scrape('text/plain')).not.toContain('# {');
});

test('a collector that is away costs spans and nothing else, and is told of once', async () => {
  await using gone = await spawnWith({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://127.0.0.1:9/v1/traces' });
  const answer = await call(gone.url, 'POST', '/tasks?wait=20', { name: 'untold', start: 'auto' }, { authorization });
  expect(answer.body.status).toBe('completed');
  await until('the warning', () => gone.output().includes('Traces are not exported just now'));
  expect(await gone.stop()).toBe(0);
});

test.each([
  ['nothing is set', {}],
  ['the SDK is disabled', { OTEL_SDK_DISABLED: 'true' }],
  ['there is no exporter', { OTEL_TRACES_EXPORTER: 'none' }],
])('there are no traces when %s', async (_, settings: Record<string, string>) => {
  const endpoint: Record<string, string> = Object.keys(settings).length ? { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url } : {};
  const before = sink.headers.length;
  await using server = await spawnWith({ ...endpoint, ...settings, OTEL_BSP_SCHEDULE_DELAY: '10' });
  const { body } = await call(server.url, 'POST', '/tasks?wait=20', { name: 'untraced', start: 'auto' }, { authorization });
  expect(body).toMatchObject({ status: 'completed', trace_id: null });
  expect(await server.stop()).toBe(0);
  expect(sink.headers.slice(before)).toEqual([]);
});

async function spawnWith(settings: Record<string, string>): Promise<ServerProcess & AsyncDisposable> {
  const own = await createDatabase();
  const server = await spawnServer({ DATABASE_URL: own.url, OTEL_BSP_SCHEDULE_DELAY: '50', ...settings });
  return {
    ...server,
    async [Symbol.asyncDispose]() {
      await server.kill();
      await own.drop();
    },
  };
}
