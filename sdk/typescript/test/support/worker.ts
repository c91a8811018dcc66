import { onTestFinished } from 'vitest';
import { Worker, type Client, type Task, type WorkerOptions } from '../../src/index.js';
import type { TestServer } from './server.js';
import { until } from './until.js';

/** What a worker said; shown when the test fails by whoever looks at it. */
export class Lines {
  readonly all: string[] = [];
  info(message: string): void {
    this.all.push(message);
  }
  warn(message: string): void {
    this.all.push(message);
  }
}

/** A worker that is stopped after the test, without waiting for what it runs. */
export function workerOf(server: TestServer, options: WorkerOptions = {}): Worker {
  const worker = new Worker({ address: server.address, name: 'test', logger: new Lines(), ...options });
  onTestFinished(() => worker.stop({ limitSeconds: 0 }));
  return worker;
}

/** The task when it has reached its end. */
export function finished(client: Client, id: string): Promise<Task> {
  return until('the task is finished', async () => {
    const task = await client.get(id);
    return ['completed', 'failed', 'cancelled'].includes(task.status) && task;
  });
}

/** The task when it is in this state. */
export function inState(client: Client, id: string, status: Task['status']): Promise<Task> {
  return until(`the task is ${status}`, async () => {
    const task = await client.get(id);
    return task.status === status && task;
  });
}

/** Resolves when a handler's signal is aborted, with the reason. */
export function aborted(signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(signal.reason);
    signal.addEventListener('abort', () => resolve(signal.reason));
  });
}
