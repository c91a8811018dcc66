import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Client, TaskFailure, Worker, type HandlerContext, type JsonObject, type LogLevel, type NewTask, type Task } from '../src/index.js';
import { startServer, type TestServer } from './support/server.js';
import { aborted, finished, inState, Lines } from './support/worker.js';

/** What the handler is to do, as of sdk/conformance/README.md. */
interface Orders {
  log?: { level: LogLevel; message: string; data?: JsonObject }[];
  progress?: { percent: number; message: string }[];
  checkpoint?: JsonObject;
  fail_until_attempt?: number;
  wait_for_cancel?: boolean;
  fail?: { code: string; message: string; retryable: boolean };
  return_checkpoint?: boolean;
  return?: unknown;
}

interface Scenario {
  name: string;
  task: { parameters: Orders; max_attempts?: number; backoff?: { kind: 'fixed'; delay_seconds: number; jitter: number } };
  cancel_when_running?: boolean;
  expect: Record<string, unknown>;
}

const scenarios = JSON.parse(readFileSync(new URL('../../conformance/scenarios.json', import.meta.url), 'utf8')) as Scenario[];

async function obey(orders: Orders, context: HandlerContext): Promise<unknown> {
  const startedWith = context.checkpoint ?? null;
  for (const { level, message, data } of orders.log ?? []) context.log(level, message, data);
  for (const { percent, message } of orders.progress ?? []) context.progress(percent, message);
  if (orders.checkpoint) context.saveCheckpoint(orders.checkpoint);
  if (context.task.attempt < (orders.fail_until_attempt ?? 0)) throw new TaskFailure('NOT_YET', 'not yet');
  if (orders.wait_for_cancel) throw await aborted(context.signal);
  if (orders.fail) throw new TaskFailure(orders.fail.code, orders.fail.message, { retryable: orders.fail.retryable });
  return orders.return_checkpoint ? { checkpoint: startedWith } : orders.return;
}

function toCreate({ parameters, max_attempts, backoff }: Scenario['task']): NewTask {
  return {
    name: 'conformance',
    type: 'conformance',
    start: 'auto',
    parameters,
    maxAttempts: max_attempts,
    backoff: backoff && { kind: backoff.kind, delaySeconds: backoff.delay_seconds, jitter: backoff.jitter },
  };
}

/** What a scenario may expect, of a task as it is. */
async function seen(client: Client, task: Task): Promise<Record<string, unknown>> {
  return {
    status: task.status,
    result: task.result ?? null,
    error_code: task.error?.code,
    error_retryable: task.error?.retryable,
    attempt: task.attempt,
    progress: task.progress,
    progress_message: task.progressMessage,
    logs: (await client.logs(task.id)).items.map(({ message }) => message),
  };
}

describe('the conformance scenarios', () => {
  let server: TestServer;
  let client: Client;
  let worker: Worker;

  beforeAll(async () => {
    server = await startServer();
    client = new Client({ address: server.address });
    worker = new Worker({ address: server.address, name: 'conformance', logger: new Lines() }).handle('conformance', obey);
    await worker.start();
  });

  afterAll(async () => {
    await worker?.stop();
    client?.close();
    await server?.stop();
  });

  test.for(scenarios)('a task $name', async ({ task, cancel_when_running, expect: expected }) => {
    const { id } = await client.create(toCreate(task));
    if (cancel_when_running) {
      await inState(client, id, 'running');
      await client.cancel(id);
    }
    expect(await seen(client, await finished(client, id))).toMatchObject(expected);
  });
});
