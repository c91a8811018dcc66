import { Redis } from 'ioredis';
import type { Socket } from 'socket.io-client';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { hasRedis, redisOrSkipped, TestRedis } from '../support/redis.js';
import { ask, closeSockets, collectEvents, connectSocket, type NamedEvent } from '../support/socket-client.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { until } from '../support/until.js';

describe.skipIf(!hasRedis)(`two replicas ${redisOrSkipped}`, () => {
  let redis: TestRedis;
  let database: TestDatabase;
  /** Leads, takes requests, runs nothing. */
  let a: TestServer;
  /** Runs the work. */
  let b: TestServer;

  beforeAll(async () => {
    redis = await TestRedis.start();
    database = await createDatabase();
    a = await startTestServer({ RUNNER_SLOTS: '0', REDIS_URL: redis.url }, database.url);
    // A lease so long that only a wake-up, not the heartbeat, can tell of a cancel in time.
    b = await startTestServer({ RUNNER_SLOTS: '4', ENGINE_LEASE_SECONDS: '3600', REDIS_URL: redis.url }, database.url);
  });
  afterEach(closeSockets);
  afterAll(async () => {
    await Promise.all([a?.close(), b?.close()]);
    await database?.drop();
    await redis?.close();
  });

  async function listen(replica: TestServer): Promise<{ socket: Socket; events: NamedEvent[] }> {
    const socket = await connectSocket(`${replica.url}/tasks`, { auth: { token: replica.token }, transports: ['websocket'] });
    const events = collectEvents(socket);
    await ask(socket, 'subscribe', { since: await lastSeq() });
    return { socket, events };
  }

  const seqs = async (after: number): Promise<number[]> =>
    (await a.server.kernel.database.api.queryText<{ seq: number }>('SELECT seq FROM events WHERE seq > $1 ORDER BY seq', [after])).map(
      ({ seq }) => seq,
    );
  const lastSeq = async () => (await seqs(0)).at(-1) ?? 0;

  async function runTasks(count: number): Promise<void> {
    const tasks = Array.from({ length: count }, (_, index) => ({ name: `stream ${index}`, start: 'auto' }));
    const answer = await a.api('POST', '/tasks/bulk', { tasks });
    expect(answer.status).toBe(201);
  }

  const idle = async () => (await a.api('GET', '/tasks?status=pending,queued,running,cancelling&limit=1')).body.items.length === 0;

  const redisOf = async (replica: TestServer) => {
    const { status, body } = await replica.api('GET', '/health/ready');
    return { status, redis: body.details.redis.status, degraded: body.degraded.includes('redis') };
  };

  /** Both replicas know that Redis is there, or away. */
  const bothSay = (status: string) =>
    until(`both replicas to say that Redis is ${status}`, async () =>
      (await Promise.all([a, b].map(redisOf))).every((report) => report.redis === status),
    );

  async function cancelAcross(): Promise<void> {
    const sleeper = { name: 'long', type: 'sleep', parameters: { seconds: 3_600 }, timeout_seconds: 7_200, start: 'auto' };
    const { body: created } = await a.api('POST', '/tasks', sleeper);
    const statusOf = async () => (await a.api('GET', `/tasks/${created.id}`)).body.status;
    await until('the attempt to run', async () => (await statusOf()) === 'running');
    expect((await a.api('POST', `/tasks/${created.id}/cancel`)).body.status).toBe('cancelling');
    await until('the attempt to stop', async () => (await statusOf()) === 'cancelled');
  }

  test('events of one replica reach clients of the other through Redis, without a read of the log there', async () => {
    await bothSay('up');
    const { events } = await listen(b);
    const { counts } = b.server.kernel.eventLog;
    // On a busy machine a batch may be too late and the log be read instead; then another round shows it.
    await until('a round of events that all came through Redis', async () => {
      const before = { ...counts, seq: await lastSeq() };
      await runTasks(5);
      await until('the tasks to end', idle);
      const expected = await seqs(before.seq);
      await until('the events', () => events.at(-1)?.seq === expected.at(-1));
      return counts.log === before.log && counts.relay === before.relay + expected.length;
    });
  });

  test('a cancel reaches the other replica', cancelAcross);

  test('Redis killed and started again in a stream of tasks: each client sees every event once and in order', async () => {
    const begin = await lastSeq();
    const listeners = await Promise.all([listen(a), listen(b)]);
    let flowing = true;
    const stream = (async () => {
      while (flowing) await runTasks(3);
    })();
    const moreEvents = async (what: string) => {
      const counts = listeners.map(({ events }) => events.length + 60);
      await until(`events ${what}`, () => listeners.every(({ events }, index) => events.length >= counts[index]!));
    };
    await moreEvents('at first');
    for (const round of [1, 2]) {
      await redis.kill();
      await bothSay('degraded');
      expect(await redisOf(a)).toEqual({ status: 200, redis: 'degraded', degraded: true });
      await moreEvents(`without Redis, round ${round}`);
      await redis.start();
      await bothSay('up');
      expect(await redisOf(b)).toEqual({ status: 200, redis: 'up', degraded: false });
      await moreEvents(`with Redis again, round ${round}`);
    }
    flowing = false;
    await stream;
    await until('the tasks to end', idle);
    const expected = await seqs(begin);
    for (const { events } of listeners) {
      await until('the last event', () => (events.at(-1)?.seq ?? 0) >= expected.at(-1)!);
      expect(events.map(({ seq }) => seq)).toEqual(expected);
    }
  }, 120_000);

  test('a Redis that does not answer any more is left for the database, and taken again when it does', async () => {
    process.kill(redis.pid, 'SIGSTOP');
    try {
      // What waits for Redis first tells that it is gone.
      await runTasks(1);
      await bothSay('degraded');
      await until('the task to end', idle);
    } finally {
      process.kill(redis.pid, 'SIGCONT');
    }
    await bothSay('up');
  });

  test('somebody else who writes to the channels changes nothing', async () => {
    await bothSay('up');
    const spy = new Redis(redis.url);
    const liar = new Redis(redis.url);
    const heard: { channel: string; message: string }[] = [];
    spy.on('pmessage', (_, channel: string, message: string) => heard.push({ channel, message }));
    await spy.psubscribe('arkitect:*');
    const begin = await lastSeq();
    const listeners = await Promise.all([listen(a), listen(b)]);
    await runTasks(3);
    const batch = await until('a batch', () => heard.find(({ channel }) => channel.endsWith(':events')));
    await until('the tasks to end', idle);
    const { channel } = batch;
    const old = JSON.parse(batch.message.slice(batch.message.indexOf(' ') + 1));
    const lie = { ...old.events[0], data: { name: 'a lie' } };
    const tail = b.server.kernel.eventLog.tail;
    const lies = [
      '',
      'no space',
      'x {',
      'x null',
      'x []',
      `x ${'9'.repeat(3_000_000)}`,
      `x ${JSON.stringify(old)}`,
      `x ${JSON.stringify({ ...old, events: [lie] })}`,
      `x ${JSON.stringify({ from: tail + 10, through: tail + 11, events: [{ ...lie, seq: tail + 11 }] })}`,
      `x ${JSON.stringify({ from: tail, through: tail + 9, events: [{ ...lie, seq: tail + 1, action: 'task_stolen' }] })}`,
      `x ${JSON.stringify({ from: tail, through: tail + 9, events: [{ ...lie, seq: tail + 10 }] })}`,
      `x ${JSON.stringify({
        from: tail,
        through: tail + 9,
        events: [
          { ...lie, seq: tail + 2 },
          { ...lie, seq: tail + 1 },
        ],
      })}`,
      `x ${JSON.stringify({ from: tail, through: tail + 9, events: 'all' })}`,
      `x ${JSON.stringify({ from: tail, through: tail + 9 })}`,
      `x ${JSON.stringify({ from: tail, through: '9', events: [] })}`,
    ];
    for (const message of lies) {
      await liar.publish(channel, message);
      await liar.publish(channel.replace(/events$/, 'wake-ups'), message);
    }
    await runTasks(3);
    await until('the tasks to end', idle);
    const expected = await seqs(begin);
    for (const { events } of listeners) {
      await until('the last event', () => (events.at(-1)?.seq ?? 0) >= expected.at(-1)!);
      expect(events.map(({ seq }) => seq)).toEqual(expected);
      expect(events.filter((event) => event.name === 'a lie')).toEqual([]);
    }
    await Promise.all([spy.quit(), liar.quit()]);
  });

  test('without Redis a cancel still reaches the other replica, and a replica starts', async () => {
    await redis.kill();
    await bothSay('degraded');
    await cancelAcross();
    const begun = performance.now();
    const c = await startTestServer({ RUNNER_SLOTS: '0', REDIS_URL: redis.url }, database.url);
    expect(performance.now() - begun).toBeLessThan(20_000);
    expect(await redisOf(c)).toEqual({ status: 200, redis: 'degraded', degraded: true });
    await redis.start();
    await bothSay('up');
    await until('the new replica to find Redis', async () => (await redisOf(c)).redis === 'up');
    await c.close();
  });
});
