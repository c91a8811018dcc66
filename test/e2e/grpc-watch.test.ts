import { credentials, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ServerReflectionClient } from '../support/reflection.js';
import { GrpcClient, withDetails, type RpcError } from '../support/grpc.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { until } from '../support/until.js';

let server: TestServer;
let grpc: GrpcClient;
beforeEach(async () => {
  server = await startTestServer();
  grpc = new GrpcClient(server.server.grpcAddress, server.token);
});
afterEach(async () => {
  grpc.close();
  await server.close();
});

interface Message {
  start?: { seq: number; reset?: boolean };
  event?: { seq: number; action: string; id: string; status?: string };
}

function watch(filters: object) {
  const call = grpc.stream('WatchTasks', filters);
  const messages: Message[] = [];
  let error: RpcError | undefined;
  call.on('data', (message: Message) => messages.push(message));
  call.on('error', (thrown: RpcError) => (error = withDetails(thrown)));
  return { call, messages, actions: () => messages.flatMap(({ event }) => event?.action ?? []), error: () => error };
}

test('a watcher sees what it asked for, in order, and resumes without a gap', async () => {
  const first = watch({ type: ['echo'] });
  await until('the watch to begin', () => first.messages.length === 1);
  await grpc.call('CreateTask', { task: { name: 'no', type: 'sleep', parameters: { seconds: 60 } } });
  const { task } = await grpc.call('CreateTask', { task: { name: 'yes', start: 'auto' }, wait_seconds: 10 });
  await until('three events', () => first.messages.length === 4);
  expect(first.actions()).toEqual(['task_created', 'task_started', 'task_completed']);
  expect(first.messages.at(-1)!.event).toMatchObject({ id: task.id, status: 'completed' });
  first.call.cancel();

  const { task: missed } = await grpc.call('CreateTask', { task: { name: 'missed', start: 'auto' }, wait_seconds: 10 });
  const again = watch({ type: ['echo'], since: first.messages.at(-1)!.event!.seq });
  await until('what was missed', () => again.messages.length === 4);
  expect(again.messages[0]!.start).toEqual({ seq: first.messages.at(-1)!.event!.seq, reset: false });
  expect(again.messages.slice(1).map(({ event }) => event!.id)).toEqual([missed.id, missed.id, missed.id]);
  again.call.cancel();
});

test('a client that does not read costs no memory, and gets everything when it does', async () => {
  const slow = grpc.stream('WatchTasks', {});
  slow.pause();
  await new Promise<void>((resolve) => slow.once('metadata', () => resolve()));
  const tasks = Array.from({ length: 1_000 }, (_, index) => ({ name: `n${index} ${'x'.repeat(200)}` }));
  for (let round = 0; round < 12; round++) await grpc.call('CreateTasks', { tasks });
  const seen: number[] = [];
  slow.on('data', ({ event }: Message) => event && seen.push(event.seq));
  slow.resume();
  await until('all events', () => seen.length === 12_000);
  expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  expect(new Set(seen).size).toBe(12_000);
  slow.on('error', () => undefined);
  slow.cancel();
});

test('a server that stops ends watches with UNAVAILABLE', async () => {
  const watched = watch({});
  await until('the watch to begin', () => watched.messages.length === 1);
  const closing = server.server.close(AbortSignal.abort());
  await until('the watch to end', () => watched.error() !== undefined);
  expect(watched.error()).toMatchObject({ code: status.UNAVAILABLE, reason: 'UNAVAILABLE' });
  await closing;
});

test('reflection names the services, and health follows readiness', async () => {
  const services = await new ServerReflectionClient(server.server.grpcAddress, credentials.createInsecure()).services();
  expect(services).toEqual(expect.arrayContaining(['arkitect.v1.TaskService', 'arkitect.v1.WorkerService']));
  const { checkHealth } = await import('../support/reflection.js');
  // On a busy machine the event loop may lag for so long that the server is not ready for a while.
  for (const service of ['', 'arkitect.v1.TaskService'])
    await until(`${service} to be served`, async () => (await checkHealth(server.server.grpcAddress, service)) === 'SERVING');
  await expect(checkHealth(server.server.grpcAddress, 'no.such.Service')).rejects.toMatchObject({ code: status.NOT_FOUND });
});
