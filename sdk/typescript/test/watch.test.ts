import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Client, type TaskEvent, type WatchStart } from '../src/index.js';
import { startServer, type TestServer } from './support/server.js';
import { until } from './support/until.js';
import { finished } from './support/worker.js';

describe('a watch', () => {
  let server: TestServer;
  let client: Client;

  beforeEach(async () => {
    server = await startServer();
    client = new Client({ address: server.address });
  });

  afterEach(async () => {
    client?.close();
    await server?.stop();
  });

  async function runEcho(label: string): Promise<string> {
    const { id } = await client.create({ name: 'echo', type: 'echo', labels: { watch: label }, start: 'auto' });
    await finished(client, id);
    return id;
  }

  /** Watches until something has completed; answers all events. */
  async function untilCompleted(since: number | undefined, begin: () => Promise<unknown>): Promise<TaskEvent[]> {
    const events: TaskEvent[] = [];
    let begun: Promise<unknown> | undefined;
    for await (const event of client.watch({ label: 'watch=yes' }, { since, onStart: () => void (begun ??= begin()) })) {
      events.push(event);
      if (event.action === 'task_completed') break;
    }
    await begun;
    return events;
  }

  test('tells what happens, in order, of the tasks that match', async () => {
    const events = await untilCompleted(undefined, async () => {
      await runEcho('no');
      await runEcho('yes');
    });
    expect(new Set(events.map(({ labels }) => labels.watch))).toEqual(new Set(['yes']));
    expect(events[0]!.action).toBe('task_created');
    expect(events.map(({ seq }) => seq)).toEqual(events.map(({ seq }) => seq).toSorted((a, b) => a - b));
  });

  test('resumes with since: what was missed is told first', async () => {
    const seen = await untilCompleted(undefined, () => runEcho('yes'));
    const missed = await runEcho('yes');
    const events = await untilCompleted(seen.at(-1)!.seq, async () => undefined);
    expect(events[0]).toMatchObject({ id: missed, action: 'task_created' });
    expect(events[0]!.seq).toBeGreaterThan(seen.at(-1)!.seq);
    expect(new Set(events.map(({ id }) => id))).toEqual(new Set([missed]));
  });

  test('goes on by itself when the server was killed, and ends when it is told to', async () => {
    const starts: WatchStart[] = [];
    const events: TaskEvent[] = [];
    const stop = new AbortController();
    const watching = (async () => {
      for await (const event of client.watch({ label: 'watch=yes' }, { signal: stop.signal, onStart: (start) => starts.push(start) }))
        events.push(event);
    })();
    await until('the watch has begun', () => starts.length === 1);
    const first = await runEcho('yes');
    await until('the first task was seen', () => events.some(({ action, id }) => action === 'task_completed' && id === first));

    await server.kill();
    await server.restart();
    await until('the client is connected again', () => client.list({ limit: 1 }).catch(() => undefined));
    const second = await runEcho('yes');
    await until('the second task was seen', () => events.some(({ action, id }) => action === 'task_completed' && id === second));
    stop.abort();
    await watching;

    const seqs = events.map(({ seq }) => seq);
    expect(starts).toHaveLength(2);
    expect(starts[1]!.reset).toBe(false);
    expect(new Set(seqs).size).toBe(seqs.length);
    expect(events.filter(({ action }) => action === 'task_created').map(({ id }) => id)).toEqual([first, second]);
  });
});
