import pg from 'pg';
import type { Socket } from 'socket.io-client';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { ask, closeSockets, collectEvents, connectSocket, heard } from '../support/socket-client.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { until } from '../support/until.js';

let database: TestDatabase;
let sql: pg.Pool;
let replicas: TestServer[];

beforeAll(async () => {
  database = await createDatabase();
  sql = new pg.Pool({ connectionString: database.url, max: 2 });
  // The database is dropped while its last connections are still closing.
  sql.on('error', () => undefined);
  replicas = await Promise.all([startTestServer({}, database.url), startTestServer({}, database.url)]);
});
afterEach(closeSockets);
afterAll(async () => {
  await Promise.all(replicas.map((replica) => replica.close()));
  await sql.end();
  await database.drop();
});

function connect(replica: TestServer, transports = ['websocket']): Promise<Socket> {
  return connectSocket(`${replica.url}/tasks`, { auth: { token: replica.token }, transports });
}

async function lastSeq(): Promise<number> {
  return Number((await sql.query<{ seq: string }>('SELECT coalesce(max(seq), 0) AS seq FROM events')).rows[0]!.seq);
}

/** The same sequence for the same seed, so that a failure can be repeated (mulberry32). */
function random(seed: number): (below: number) => number {
  return (below) => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

interface Seen {
  seq: number;
  action: string;
  id: string;
}

/** Follows a subscription over many short connections to both replicas, each cut at a random moment, until `end` is seen. */
async function followWithCuts(
  filters: object,
  end: Promise<number>,
  pick: (below: number) => number,
): Promise<{ seen: Seen[]; cuts: number }> {
  const seen: Seen[] = [];
  let cuts = 0;
  let endSeq = Infinity;
  void end.then((seq) => (endSeq = seq));
  const since = () => seen.at(-1)?.seq ?? 0;
  while (since() < endSeq) {
    const socket = await connect(replicas[pick(2)]!, [['websocket'], ['polling'], ['polling', 'websocket']][pick(3)]);
    const left = heard(socket, 'disconnect');
    const cutAfter = [0, 1, 3, 10, 40][pick(5)]!;
    let taken = 0;
    const cut = () => socket.io.engine.close();
    void end.then((seq) => since() >= seq && cut());
    socket.onAny((event: string, { seq, action, id }: Seen) => {
      // What is still on its way when a client goes away is not seen by it.
      if (taken >= cutAfter && cutAfter > 0) return;
      taken += 1;
      if (event !== action) throw new Error(`${event} carries ${action}`);
      seen.push({ seq, action, id });
      if (taken === cutAfter || seq >= endSeq) cut();
    });
    socket.emit('subscribe', { ...filters, since: since() }, (answer: object) => {
      if ('error' in answer || (answer as { reset: boolean }).reset) throw new Error(`Subscribe was answered ${JSON.stringify(answer)}`);
    });
    if (cutAfter === 0) {
      // Somewhere between the message, its ack and the first events.
      for (let turn = pick(30); turn > 0; turn--) await new Promise((resolve) => setImmediate(resolve));
      cut();
    }
    await left;
    cuts += 1;
  }
  return { seen, cuts };
}

async function writeTasks(steps: number, pick: (below: number) => number): Promise<void> {
  for (let step = 0; step < steps; step++) {
    const { api } = replicas[pick(2)]!;
    const task = { name: `step ${step}`, queue: `q${pick(3)}`, labels: { group: `g${pick(3)}` } };
    const kind = pick(7);
    if (kind === 0) await api('POST', '/tasks/bulk', { tasks: Array.from({ length: 1 + pick(30) }, () => ({ ...task, start: 'auto' })) });
    else if (kind === 1)
      await api('POST', '/tasks', {
        ...task,
        type: 'sleep',
        parameters: { seconds: pick(3) / 20, fail: pick(2) === 0 },
        start: 'auto',
        max_attempts: 2,
        backoff: { delay_seconds: 0 },
      });
    else {
      const { body } = await api('POST', '/tasks', { ...task, start: kind === 2 ? 'auto' : 'manual' });
      if (kind === 3)
        await Promise.all([api('POST', `/tasks/${body.id}/execute`), replicas[pick(2)]!.api('POST', `/tasks/${body.id}/cancel`)]);
      if (kind === 4) await api('PATCH', `/tasks/${body.id}`, { priority: 'high' });
      if (kind === 5) await api('DELETE', `/tasks/${body.id}`);
      if (kind === 6) await api('POST', `/tasks/${body.id}/execute?wait=20`);
    }
  }
}

/** Takes numbers and commits them after larger ones have been committed, or never. */
async function writeLate(rounds: number, pick: (below: number) => number): Promise<void> {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  for (let round = 0; round < rounds; round++) {
    await client.query('BEGIN');
    await client.query(
      `INSERT INTO events (tenant_id, task_id, action, queue, labels)
       SELECT 'default', gen_random_uuid(), 'task_updated', 'q1', '{"group": "g1"}' FROM generate_series(1, $1::int)`,
      [1 + pick(3)],
    );
    await replicas[pick(2)]!.api('POST', '/tasks', { name: 'overtakes', queue: 'q1' });
    await client.query(pick(3) === 0 ? 'ROLLBACK' : 'COMMIT');
  }
  await client.end();
}

test('a client that is cut again and again, and resumes on either replica, hears every event once and in order', async () => {
  const seed = Number(process.env.TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
  const filters: [object, string][] = [
    [{}, 'true'],
    [{ queue: ['q1'] }, "queue = 'q1'"],
    [{ label: ['group=g1'] }, "labels->>'group' = 'g1'"],
    [{ status: ['completed', 'cancelled'] }, "status IN ('completed', 'cancelled')"],
  ];
  let finish: (seq: number) => void = () => undefined;
  const finished = new Promise<number>((resolve) => (finish = resolve));
  const endOf = async (where: string) => {
    await finished;
    return Number((await sql.query<{ seq: string }>(`SELECT max(seq) AS seq FROM events WHERE ${where}`)).rows[0]!.seq);
  };
  const following = filters.map(([filter, where], index) => followWithCuts(filter, endOf(where), random(seed + index)));
  const writing = [...[1, 2, 3, 4].map((n) => writeTasks(80, random(seed + 10 * n))), writeLate(40, random(seed))];
  const all = Promise.all(following);
  await Promise.race([Promise.all(writing), all]);
  await until('every task to rest', async () => {
    const { rows } = await sql.query<{ busy: string }>(
      "SELECT count(*) AS busy FROM tasks WHERE status IN ('queued', 'scheduled', 'running', 'cancelling')",
    );
    return rows[0]!.busy === '0';
  });
  finish(await lastSeq());
  const results = await all;
  for (const [index, [, where]] of filters.entries()) {
    const { rows } = await sql.query<Seen>(`SELECT seq::int, action, task_id AS id FROM events WHERE ${where} ORDER BY seq`);
    const { seen, cuts } = results[index]!;
    expect(rows.length).toBeGreaterThan(50);
    expect(cuts, `TEST_SEED=${seed}`).toBeGreaterThan(5);
    expect(seen, `TEST_SEED=${seed}`).toEqual(rows);
  }
}, 180_000);

test('a client that has seen more than the replica it comes to is told nothing twice', async () => {
  const [replica] = replicas as [TestServer, TestServer];
  // The log grows, and nobody has told this replica yet.
  const insert =
    "INSERT INTO events (tenant_id, task_id, action) SELECT 'default', gen_random_uuid(), 'task_updated' FROM generate_series(1, 20)";
  await sql.query(insert);
  const since = await lastSeq();
  const socket = await connect(replica);
  const events = collectEvents(socket);
  expect(await ask(socket, 'subscribe', { since })).toEqual({ seq: since, reset: false });
  const { id } = await ask(socket, 'create', { name: 'next' });
  await until('the new event', () => events.some((event) => event.id === id));
  expect(events.map(({ seq }) => seq)).toEqual([since + 1]);
});

test('past the pruned part, and beyond the end of the log, subscribe answers reset and goes on with what is new', async () => {
  const { rows } = await sql.query<{ pruned_through: string }>('SELECT pruned_through FROM event_log_state');
  const [replica] = replicas as [TestServer, TestServer];
  await replica.api('POST', '/tasks', { name: 'some' });
  const last = await lastSeq();
  const pruned = last - 1;
  await sql.query('UPDATE event_log_state SET pruned_through = $1', [pruned]);
  try {
    for (const [since, reset] of [
      [0, true],
      [pruned - 1, true],
      [pruned, false],
      [last, false],
      [last + 1_000, true],
      [Number.MAX_SAFE_INTEGER, true],
    ] as const) {
      const socket = await connect(replica);
      const events = collectEvents(socket);
      const answer = await ask(socket, 'subscribe', { since, name: ['fresh'] });
      expect(answer.reset).toBe(reset);
      if (!reset) expect(answer.seq).toBe(since);
      const { id } = await ask(socket, 'create', { name: 'fresh' });
      const {
        rows: [created],
      } = await sql.query<{ seq: number }>('SELECT seq::int FROM events WHERE task_id = $1', [id]);
      await until('the new event', () => events.some((event) => event.id === id));
      if (reset) expect(events.map(({ seq }) => seq)).toEqual([created!.seq]);
    }
  } finally {
    await sql.query('UPDATE event_log_state SET pruned_through = $1', [rows[0]!.pruned_through]);
  }
});
