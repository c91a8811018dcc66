import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ArkitectError, Client, Worker } from '../src/index.js';
import { startServer, type TestServer } from './support/server.js';
import { Lines } from './support/worker.js';

let server: TestServer;
let client: Client;

beforeAll(async () => {
  server = await startServer();
  client = new Client({ address: server.address });
});

afterAll(async () => {
  client?.close();
  await server?.stop();
});

async function failureOf(call: Promise<unknown>): Promise<ArkitectError> {
  const error = await call.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(ArkitectError);
  return error as ArkitectError;
}

describe('an error', () => {
  test('names the fields that are not valid', async () => {
    const error = await failureOf(client.create({ name: '', timeoutSeconds: 0, type: 'echo' }));
    expect(error).toMatchObject({ code: 'VALIDATION_FAILED', status: 'INVALID_ARGUMENT' });
    expect(error.fields.map(({ field }) => field).sort()).toEqual(['name', 'timeout_seconds']);
    expect(error.requestId).toMatch(/./);
    expect(error.stack).toContain('client.test.ts');
  });

  test('says that there is no such task', async () => {
    const error = await failureOf(client.get('0198f3c2-7d1e-7a55-9b5e-3f0c8a1d2e4b'));
    expect(error).toMatchObject({ code: 'NOT_FOUND', status: 'NOT_FOUND', fields: [] });
  });

  test('says that the task has changed since', async () => {
    const { id, version } = await client.create({ name: 'old', type: 'echo' });
    await client.update(id, { name: 'new' }, { version });
    expect(await failureOf(client.update(id, { name: 'newer' }, { version }))).toMatchObject({ code: 'VERSION_MISMATCH' });
  });

  test('says that the server cannot be reached', async () => {
    const nobody = new Client({ address: '127.0.0.1:1' });
    const error = await failureOf(nobody.list());
    expect(error).toMatchObject({ code: 'UNAVAILABLE', unavailable: true });
    nobody.close();
  });

  test('keeps a worker from starting that the server will never take', async () => {
    const worker = new Worker({ address: server.address, name: 'not a name', logger: new Lines() }).handle('echo2', () => 1);
    const error = await failureOf(worker.start());
    expect(error.code).toBe('VALIDATION_FAILED');
    expect(error.fields.map(({ field }) => field)).toEqual(['name']);
    await worker.stop();
  });
});

describe('a client', () => {
  test('creates, changes, runs and deletes a task', async () => {
    const created = await client.create({
      name: 'life',
      type: 'echo',
      parameters: { a: 1, b: { c: 2 } },
      labels: { team: 'blue', old: 'yes' },
    });
    expect(created).toMatchObject({
      status: 'pending',
      priority: 'medium',
      parameters: { a: 1, b: { c: 2 } },
      result: undefined,
      version: 1,
    });

    const updated = await client.update(
      created.id,
      { parameters: { a: null, d: [3] }, labels: { team: 'red' }, priority: 'high' },
      { removeLabels: ['old'] },
    );
    expect(updated).toMatchObject({
      priority: 'high',
      parameters: { b: { c: 2 }, d: [3] },
      labels: { team: 'red' },
    });
    expect(updated.parameters).not.toHaveProperty('a');
    expect(updated.labels).not.toHaveProperty('old');

    const replaced = await client.replace(created.id, { name: 'other', type: 'echo', parameters: { e: 'f' } });
    expect(replaced).toMatchObject({ name: 'other', priority: 'medium', parameters: { e: 'f' }, labels: {} });

    const done = await client.execute(created.id, { waitSeconds: 20 });
    expect(done).toMatchObject({ status: 'completed', result: { e: 'f' }, progress: 100, attempt: 1 });
    expect((await client.attempts(done.id)).items).toMatchObject([{ attempt: 1, status: 'completed' }]);
    expect((await client.events(done.id)).items.map(({ action }) => action)).toEqual(
      expect.arrayContaining(['task_created', 'task_completed']),
    );

    await client.delete(done.id);
    expect(await failureOf(client.get(done.id))).toMatchObject({ code: 'NOT_FOUND' });
  });

  test('cancels a task that waits, and runs it again', async () => {
    const later = new Date(Date.now() + 3_600_000);
    const { id, status, runAt } = await client.create({ name: 'wait', type: 'echo', parameters: { x: 1 }, runAt: later });
    expect([status, runAt]).toEqual(['scheduled', later.toISOString()]);
    expect(await client.cancel(id)).toMatchObject({ status: 'cancelled' });
    expect(['queued', 'running', 'completed']).toContain((await client.retry(id)).status);
  });

  test('gets the first answer again with the same idempotency key', async () => {
    const task = { name: 'once', type: 'echo' };
    const first = await client.create(task, { idempotencyKey: 'key-1' });
    const second = await client.create(task, { idempotencyKey: 'key-1' });
    expect(second.id).toBe(first.id);
  });

  test('creates many, and learns what is wrong with some', async () => {
    const created = await client.createMany([
      { name: 'good', type: 'echo' },
      { name: 'bad', type: 'echo', maxAttempts: 0 },
    ]);
    expect(created).toMatchObject([
      { index: 0, task: { name: 'good', status: 'pending' }, error: undefined },
      {
        index: 1,
        task: undefined,
        error: { code: 'VALIDATION_FAILED', fields: [{ field: expect.stringContaining('max_attempts') as string }] },
      },
    ]);
    const error = await failureOf(client.createMany([{ name: 'bad', type: 'echo', maxAttempts: 0 }], { atomic: true }));
    expect(error.fields[0]!.field).toContain('max_attempts');
  });

  test('lists tasks by page, filtered', async () => {
    const label = `run=${Date.now()}`;
    const [key, value] = label.split('=') as [string, string];
    const names = ['l1', 'l2', 'l3'];
    await client.createMany(names.map((name) => ({ name, type: 'echo', labels: { [key]: value } })));
    const page = await client.list({ label, limit: 2, order: 'asc', status: ['pending', 'queued'], createdAfter: new Date(0) });
    expect(page.items.map(({ name }) => name)).toEqual(['l1', 'l2']);
    const all: string[] = [];
    for await (const { name } of client.listAll({ label, limit: 2, order: 'asc' })) all.push(name);
    expect(all).toEqual(names);
    expect(await client.list({ label, name: 'nobody' })).toEqual({ items: [], nextCursor: undefined });
  });
});
