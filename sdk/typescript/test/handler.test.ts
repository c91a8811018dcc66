import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Client, TaskFailure, type Handler, type NewTask, type Task, type Worker } from '../src/index.js';
import { startServer, type TestServer } from './support/server.js';
import { Gate, until } from './support/until.js';
import { aborted, finished, inState, workerOf } from './support/worker.js';

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

let count = 0;

/** Runs one task with this handler, on a worker of its own; the worker must survive it. */
async function outcomeOf(handler: Handler, task: Partial<NewTask> = {}): Promise<Task> {
  const type = `handler.${++count}`;
  const worker: Worker = workerOf(server).handle(type, handler);
  await worker.start();
  const { id } = await client.create({ name: type, type, start: 'auto', ...task });
  return finished(client, id);
}

describe('a handler', () => {
  test('that throws makes its attempt fail, whatever it throws', async () => {
    const thrown: Handler = () => {
      throw undefined;
    };
    expect(await outcomeOf(async () => Promise.reject(new Error('no luck')))).toMatchObject({
      status: 'failed',
      error: { code: 'HANDLER_ERROR', message: 'no luck', retryable: true, attempt: 1 },
    });
    expect(await outcomeOf(thrown)).toMatchObject({ status: 'failed', error: { code: 'HANDLER_ERROR', message: 'undefined' } });
    expect(await outcomeOf(() => Promise.reject(Object.create(null)))).toMatchObject({
      status: 'failed',
      error: { code: 'HANDLER_ERROR' },
    });
  });

  test('that says so is run again when it says, whatever the backoff', async () => {
    const handler: Handler = (_parameters, { task: { attempt } }) => {
      if (attempt === 1) throw new TaskFailure('LATER', 'in a moment', { retryAfterSeconds: 0 });
      return attempt;
    };
    const task = await outcomeOf(handler, { maxAttempts: 2, backoff: { kind: 'fixed', delaySeconds: 3_600 } });
    expect(task).toMatchObject({ status: 'completed', result: 2 });
  });

  test('that returns what JSON cannot hold, or too much, fails for good', async () => {
    for (const result of [10n, { deep: nested(32) }, 'x'.repeat(1024 * 1024 + 1)]) {
      expect(await outcomeOf(() => result)).toMatchObject({ status: 'failed', error: { code: 'RESULT_NOT_STORABLE', retryable: false } });
    }
  });

  test('gets the trace that its task was created in', async () => {
    const type = `handler.${++count}`;
    await workerOf(server)
      .handle(type, (_parameters, { trace }) => ({ trace }))
      .start();
    const trace = { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', tracestate: 'rojo=1' };
    const traced = await client.create({ name: type, type, start: 'auto' }, { trace, waitSeconds: 20 });
    expect(traced).toMatchObject({ traceId: '4bf92f3577b34da6a3ce929d0e0e4736', result: { trace } });
    const [many] = await client.createMany([{ name: type, type, start: 'auto' }], { trace: { traceparent: trace.traceparent } });
    expect((await finished(client, many!.task!.id)).result).toEqual({ trace: { traceparent: trace.traceparent } });
    const untraced = await client.create({ name: type, type, start: 'auto' }, { waitSeconds: 20 });
    expect(untraced).toMatchObject({ traceId: undefined, result: {} });
  });

  test('may return dates and leave members undefined, as JSON takes them', async () => {
    const task = await outcomeOf(() => ({ at: new Date(0), nothing: undefined, list: [undefined] }));
    expect(task.result).toEqual({ at: '1970-01-01T00:00:00.000Z', list: [null] });
  });

  test('gets its parameters as they were created', async () => {
    const parameters = { text: 'ünïcode ✓', whole: 9007199254740991, part: 0.1, no: null, list: [[], {}] };
    expect((await outcomeOf((given) => given, { parameters })).result).toEqual(parameters);
    const deepest = nested(31);
    expect((await outcomeOf((given) => given, { parameters: deepest })).result).toEqual(deepest);
  });

  test('that says too much is cut short, and the worker goes on', async () => {
    const task = await outcomeOf((_parameters, context) => {
      context.progress(Number.NaN);
      context.progress(400, 'm'.repeat(2_000));
      context.log('info', `\0${'l'.repeat(20_000)}`);
      context.log('info', 'big', { big: 'x'.repeat(70_000) });
      expect(() => context.saveCheckpoint({ big: 'x'.repeat(70_000) })).toThrow(RangeError);
      expect(() => context.saveCheckpoint([])).toThrow(TypeError);
      return 'said';
    });
    const { items } = await client.logs(task.id);
    expect(task).toMatchObject({ status: 'completed', result: 'said', progressMessage: 'm'.repeat(1_000) });
    expect(items[0]!.message).toBe(`\u{fffd}${'l'.repeat(9_999)}`);
    expect(items[1]).toMatchObject({ message: 'big', data: { refused: expect.stringContaining('70010 bytes') as string } });
  });

  test('may log an empty line', async () => {
    const task = await outcomeOf((_parameters, context) => {
      context.log('info', '');
      context.log('debug', 'after it');
    });
    expect((await client.logs(task.id)).items.map(({ message }) => message)).toEqual(['', 'after it']);
    expect(task.attempt).toBe(1);
  });

  test('shows its progress while it runs', async () => {
    const gate = new Gate();
    const worker = workerOf(server).handle('handler.progress', async (_parameters, context) => {
      context.progress(12.345, 'under way');
      await gate.opened;
    });
    await worker.start();
    const { id } = await client.create({ name: 'progress', type: 'handler.progress', start: 'auto' });
    const seen = await until('the progress is seen', async () => {
      const task = await client.get(id);
      return task.progress > 0 && task;
    });
    gate.open();
    expect(seen).toMatchObject({ status: 'running', progress: expect.closeTo(12.35) as number, progressMessage: 'under way' });
  });

  test('that completes after a cancel in spite of it leaves a cancelled task', async () => {
    const worker = workerOf(server).handle('handler.cancel', async (_parameters, { signal }) => {
      await aborted(signal);
      return 'done anyway';
    });
    await worker.start();
    const { id } = await client.create({ name: 'cancel', type: 'handler.cancel', start: 'auto' });
    await inState(client, id, 'running');
    expect(await client.cancel(id)).toMatchObject({ status: 'cancelling' });
    expect(await finished(client, id)).toMatchObject({ status: 'cancelled', attempt: 1 });
  });

  test('is never run more often than there are slots', async () => {
    let running = 0;
    let most = 0;
    const worker = workerOf(server, { slots: 3 }).handle('handler.slots', async () => {
      most = Math.max(most, ++running);
      await new Promise(setImmediate);
      running -= 1;
    });
    const tasks = Array.from({ length: 200 }, (_, index) => ({ name: `n${index}`, type: 'handler.slots', start: 'auto' as const }));
    await worker.start();
    await client.createMany(tasks);
    await until(
      'all are completed',
      async () => (await client.list({ type: 'handler.slots', status: ['queued', 'running'], limit: 1 })).items.length === 0,
    );
    const [failed] = (await client.list({ type: 'handler.slots', status: 'failed' })).items;
    expect(failed).toBeUndefined();
    expect(most).toBeLessThanOrEqual(3);
  });
});

function nested(depth: number): object {
  return depth === 0 ? {} : { in: nested(depth - 1) };
}
