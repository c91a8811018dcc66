import { gunzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { GrpcClient } from '../support/grpc.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { ask, closeSockets, connectSocket } from '../support/socket-client.js';
import { until } from '../support/until.js';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterEach(closeSockets);
afterAll(() => server.close());

// What a test reads from an answer is checked by its assertions.
// oxlint-disable-next-line typescript/no-explicit-any
type Any = any;

const replicaId = () => server.server.kernel.replicaId;
const ended = (id: string): Promise<Any> =>
  until(`run ${id} to end`, async () => {
    const { body } = await server.api('GET', `/admin/actions/${id}`);
    return body.finished_at !== null && body;
  });

test('a socket has things done, and hears how they go on', async () => {
  const socket = await connectSocket(`${server.url}/admin`, { auth: { token: server.token } });
  expect((await ask(socket, 'actions', {})).items.length).toBeGreaterThan(10);
  const { seq } = await ask(socket, 'subscribe_actions', {});
  const heard: Any[] = [];
  socket.on('admin_action', (event) => heard.push(event));
  const started = await ask(socket, 'run_action', { action: 'diagnostics', idempotency_key: 'socket-1' });
  expect(started).toMatchObject({ action: 'diagnostics', replayed: false, shown_once: null });
  const of = () => heard.filter(({ run: { id } }) => id === started.id);
  await until('its end to be told', () => of().some(({ run: { status } }) => status === 'completed'));
  expect(of()[0]).toMatchObject({ action: 'admin_action', run: { action: 'diagnostics', status: 'running', created_by: 'root' } });
  expect(of()[0].seq).toBeGreaterThan(seq);
  expect(of()[0].run.created_at).toBe(started.created_at);
  expect(of()[0].run).not.toHaveProperty('parameters');
  expect(await ask(socket, 'get_action', { id: started.id })).toMatchObject({ status: 'completed', progress: 100 });
  expect((await ask(socket, 'list_actions', { action: 'diagnostics', limit: 1 })).items).toMatchObject([{ id: started.id }]);
  const { name, data, last } = await ask(socket, 'download_action', { id: started.id });
  expect([name, last]).toEqual([`diagnostics-${replicaId()}.json.gz`, true]);
  expect(JSON.parse(gunzipSync(data).toString())).toMatchObject({ system: { replica_id: replicaId() }, missing: [] });
  expect(await ask(socket, 'run_action', { action: 'diagnostics', idempotency_key: 'socket-1' })).toMatchObject({
    id: started.id,
    replayed: true,
  });
  expect(await ask(socket, 'run_action', { action: 'explode' })).toMatchObject({ error: { code: 'VALIDATION_FAILED' } });
  expect(await ask(await connectSocket(`${server.url}/admin`), 'actions', {})).toMatchObject({ error: { code: 'FORBIDDEN' } });
});

test('gRPC does the same, and watches', async () => {
  const service = 'arkitect.v1.AdminService';
  const grpc = new GrpcClient(server.server.grpcAddress, server.token);
  const stream = grpc.stream('WatchActions', {}, service);
  const watched: Any[] = [];
  stream.on('data', (message: unknown) => watched.push(message));
  stream.on('error', () => undefined);
  await until('the start', () => watched.length === 1);
  const { items } = await grpc.call('DescribeActions', {}, service);
  expect(items.find(({ action }: Any) => action === 'purge_tasks')).toMatchObject({
    danger: 'destructive',
    parameters: { required: ['status'] },
  });
  const parameters = { status: ['failed'] };
  const dry = await grpc.call('RunAction', { action: 'purge_tasks', parameters, dry_run: true }, service);
  expect(dry).toMatchObject({ run: { status: 'completed', result: { count: 0 }, parameters: { tenant_id: 'default' } } });
  const { confirm } = dry.shown_once;
  const { run: purged } = await grpc.call('RunAction', { action: 'purge_tasks', parameters, confirm }, service);
  await until('its end to be told', () => watched.some(({ event }) => event?.run.id === purged.id && event.run.status === 'completed'));
  expect((await grpc.call('GetAction', { id: purged.id }, service)).run).toMatchObject({ result: { deleted: 0 } });
  expect((await grpc.call('ListActions', { action: ['purge_tasks'], limit: 1 }, service)).items).toMatchObject([{ id: purged.id }]);
  const { run: bundle } = await grpc.call('RunAction', { action: 'diagnostics' }, service);
  const { file_bytes } = await ended(bundle.id);
  const [{ file }, ...pieces] = await grpc.call('DownloadAction', { id: bundle.id }, service);
  expect(file).toEqual({ name: `diagnostics-${replicaId()}.json.gz`, bytes: file_bytes });
  expect(Buffer.concat(pieces.map(({ data }: Any) => data))).toHaveLength(file_bytes);
  await expect(grpc.call('RunAction', { action: 'set_log_level' }, service)).rejects.toMatchObject({ reason: 'VALIDATION_FAILED' });
  await expect(grpc.call('DownloadAction', { id: purged.id }, service)).rejects.toMatchObject({ reason: 'NOT_FOUND' });
  stream.cancel();
  grpc.close();
});
