import type { Socket } from 'socket.io';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { Database } from '../../src/database/database.js';
import { TaskSubscriptions } from '../../src/tasks/task-subscriptions.js';
import { ask, closeSockets, collectEvents, connectSocket } from '../support/socket-client.js';
import { RawWebSocket } from '../support/raw-websocket.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { until } from '../support/until.js';

const count = 4_000;
const bytesEach = 20_000;

let server: TestServer;
let database: Database;

beforeAll(async () => {
  server = await startTestServer({ LOG_LEVEL: 'fatal' });
  database = server.server.app.get(Database);
});
afterEach(closeSockets);
afterAll(() => server.close());

/** Far more than the buffers of the two ends hold, in events that the log would also hold of busy tasks with long messages. */
async function appendEvents(name: string): Promise<number> {
  const rows = await database.api.queryText<{ seq: number }>(
    `WITH added AS (
      INSERT INTO events (tenant_id, task_id, action, name, log)
      SELECT 'default', gen_random_uuid(), 'task_log', $1::text, jsonb_build_object('level', 'info', 'message', repeat('x', $2::int))
      FROM generate_series(1, $3::int) RETURNING seq
    ) SELECT max(seq)::int AS seq FROM added`,
    [name, bytesEach, count],
  );
  // Whatever is created tells the replica that the log has grown.
  await server.api('POST', '/tasks', { name: 'wake up' });
  return rows[0]!.seq;
}

async function stalledSubscriber(filters: object): Promise<RawWebSocket> {
  const stalled = await RawWebSocket.open(`${server.url}/socket.io/?EIO=4&transport=websocket`);
  stalled.send(`40/tasks,${JSON.stringify({ token: server.token })}`);
  stalled.send(`42/tasks,1${JSON.stringify(['subscribe', filters])}`);
  await until('the ack of subscribe', () => stalled.text.includes('43/tasks,1['));
  stalled.pause();
  return stalled;
}

/** Bytes that the server keeps for the slowest of its clients, beyond what the kernel has taken. */
function waitingBytes(): number {
  const { current } = server.server.app.get<unknown, { current: Map<Socket, unknown> }>(TaskSubscriptions);
  const buffers = [...current.keys()].map(({ conn }) => (conn as unknown as { writeBuffer: { data?: string }[] }).writeBuffer);
  return Math.max(0, ...buffers.map((buffer) => buffer.reduce((bytes, { data }) => bytes + (data?.length ?? 0), 0)));
}

test.each([['live events'], ['a replay']])(
  'a subscriber that stops reading %s takes bounded memory, holds nobody up, and loses nothing',
  async (kind) => {
    const reader = await connectSocket(`${server.url}/tasks`, { auth: { token: server.token } });
    const events = collectEvents(reader);
    let most = 0;
    reader.onAny(() => (most = Math.max(most, waitingBytes())));
    let stalled: RawWebSocket;
    let last: number;
    if (kind === 'live events') {
      await ask(reader, 'subscribe', { name: [kind] });
      stalled = await stalledSubscriber({ name: [kind] });
      last = await appendEvents(kind);
    } else {
      last = await appendEvents(kind);
      stalled = await stalledSubscriber({ name: [kind], since: last - count });
      await ask(reader, 'subscribe', { name: [kind], since: last - count });
    }
    try {
      await until('the reader to hear all', () => events.at(-1)?.seq === last);
      expect(events).toHaveLength(count);
      // 16 MiB, and the batch with which they were passed.
      expect(most).toBeLessThan(16 * 1024 * 1024 + 1_000 * (bytesEach + 1_000));
      expect(stalled.bytesRead).toBeLessThan((count * bytesEach) / 2);

      stalled.resume();
      await until('the stalled client to hear all', () => stalled.bytesRead >= count * bytesEach);
      expect(stalled.closed).toBe(false);
      // It has caught up, and is told of what happens now.
      const { id } = await ask(reader, 'create', { name: kind });
      await until('the next event', () => stalled.text.includes(id));
      const seqs = [...stalled.text.matchAll(/\["task_log",\{"seq":(\d+),/g)].map(([, seq]) => Number(seq));
      expect(seqs).toEqual(events.slice(0, count).map(({ seq }) => seq));
    } finally {
      stalled.destroy();
    }
  },
);
