import type { ClaimedTask, Json } from '../../src/engine/task-row.js';
import type { TestServer } from './server.js';

/** Plays the worker on a server with RUNNER_SLOTS=0, so that the test decides when an attempt starts and how it ends. */
export class HandWorker {
  constructor(private readonly server: TestServer) {}

  private get engine() {
    return this.server.server.kernel.engine;
  }

  /** Starts the next attempt of a queued task. Whatever else was queued is started too, and left running. */
  async claim(id: string): Promise<ClaimedTask> {
    const types = this.server.server.kernel.handlers.types();
    const claimed = await this.engine.claim({ worker_ids: ['hand'], types, limit: 10_000, lease_seconds: 3_600 });
    const task = claimed.find((candidate) => candidate.id === id);
    if (!task) throw new Error(`Task ${id} was not in the line.`);
    return task;
  }

  async complete(task: ClaimedTask, result: Json = null): Promise<void> {
    await this.engine.complete([{ ...task, result }]);
  }

  async fail(task: ClaimedTask, { retryable = false, retry_after_seconds = null as number | null } = {}): Promise<void> {
    await this.engine.fail([{ ...task, code: 'BY_HAND', message: 'The test let it fail.', retryable, retry_after_seconds }]);
  }

  async log(task: ClaimedTask, ...messages: string[]): Promise<void> {
    await this.engine.appendLogs(messages.map((message) => ({ ...task, level: 'info', message, data: { length: message.length } })));
  }
}
