import { Pool } from 'undici';
import { token } from './server.js';

/** More at once than a healthy server ever needs; what does not fit waits, and its waiting counts. */
const connections = 256;
const patienceMs = 120_000;
const body = JSON.stringify({ name: 'soak', start: 'auto' });

/** HTTP clients that each create a task that does nothing, and wait for its end. */
export class Clients {
  /** Creates that have not come to their end yet, sent or not. */
  outstanding = 0;
  acknowledged = 0;
  /** Anything but a completed task, by what came instead. */
  readonly failures = new Map<string, number>();
  private latencies: number[] = [];
  private readonly pool: Pool;

  constructor(url: string) {
    this.pool = new Pool(url, { connections, headersTimeout: patienceMs, bodyTimeout: patienceMs });
  }

  /** Resolves when the task has ended, or cannot any more. */
  async create(): Promise<void> {
    this.outstanding++;
    const begun = performance.now();
    try {
      const { statusCode, body: answer } = await this.pool.request({
        path: '/tasks?wait=60',
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body,
      });
      const task = (await answer.json()) as { status: string; code?: string };
      // 202: it was created, and has not ended in time.
      if (statusCode !== 201 && statusCode !== 202) return this.fail(`${statusCode} ${task.code}`);
      this.acknowledged++;
      if (task.status !== 'completed') return this.fail(`${statusCode} with a task that is ${task.status}`);
      this.latencies.push(performance.now() - begun);
    } catch (error) {
      this.fail((error as Error).message);
    } finally {
      this.outstanding--;
    }
  }

  /** From create to end, in milliseconds, of the tasks that have ended since the last call; sorted. */
  takeLatencies(): number[] {
    const taken = this.latencies;
    this.latencies = [];
    return taken.sort((a, b) => a - b);
  }

  close(): Promise<void> {
    return this.pool.destroy();
  }

  private fail(what: string): void {
    this.failures.set(what, (this.failures.get(what) ?? 0) + 1);
  }
}
