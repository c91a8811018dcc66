import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EventLog } from '../../src/events/event-log.js';
import { EventRelay } from '../../src/events/event-relay.js';
import type { LogEvent } from '../../src/events/events.js';
import { RedisBus } from '../../src/events/redis-bus.js';
import { RedisTransport } from '../../src/events/redis-transport.js';
import { WakeUps } from '../../src/events/wake-ups.js';
import { openTestDatabase } from '../support/database.js';
import { insertEvent, writeOutOfOrder } from '../support/event-writers.js';
import { hasRedis, redisOrSkipped, TestRedis } from '../support/redis.js';
import { until } from '../support/until.js';

describe.skipIf(!hasRedis)(`the tail of a follower ${redisOrSkipped}`, () => {
  let redis: TestRedis;
  let db: Awaited<ReturnType<typeof openTestDatabase>>;
  let errors: Error[];
  /** The follower believes that it leads, as one does that has not noticed yet that another has taken over. */
  let followerLeads: boolean;
  let leader: Awaited<ReturnType<typeof startReplica>>;
  let follower: Awaited<ReturnType<typeof startReplica>>;

  async function startReplica(replicaId: string, isLeader: () => boolean) {
    const onError = (error: Error) => void errors.push(error);
    const bus = new RedisBus(redis.url, replicaId, onError);
    const wakeUps = new WakeUps(db.database, replicaId, onError, new RedisTransport(bus));
    const relay = new EventRelay(bus, isLeader, () => errors.push(new Error('a wrong message')));
    const eventLog = new EventLog(db.database, wakeUps, onError, relay);
    const seen: LogEvent[] = [];
    eventLog.subscribe((events) => seen.push(...events));
    await wakeUps.start();
    await bus.start(db.database);
    await eventLog.start();
    await until('Redis', () => bus.connected);
    return {
      wakeUps,
      eventLog,
      seen,
      async close() {
        await eventLog.stop();
        await wakeUps.stop();
        await bus.close();
      },
    };
  }

  beforeEach(async () => {
    errors = [];
    followerLeads = false;
    redis = await TestRedis.start();
    db = await openTestDatabase();
    leader = await startReplica('the-leader', () => true);
    follower = await startReplica('a-follower', () => followerLeads);
  });
  afterEach(async () => {
    await Promise.all([leader.close(), follower.close()]);
    await db.close();
    await redis.close();
  });

  test('writers that commit and roll back out of order, and now and then two leaders: every row once, in order', async () => {
    const expected = await writeOutOfOrder(db.url, 6, 60, (round) => {
      followerLeads = round % 3 === 1;
      (round % 2 ? leader : follower).wakeUps.signal('events');
    });
    followerLeads = false;
    for (const { seen } of [leader, follower]) {
      await until('all committed events', () => seen.length >= expected.length);
      expect(seen.map((event) => event.seq)).toEqual(expected);
    }
    // Both ways have been taken, or this test proves nothing.
    expect(follower.eventLog.counts.relay).toBeGreaterThan(0);
    expect(follower.eventLog.counts.log).toBeGreaterThan(0);
    expect(errors).toEqual([]);
  });

  test('what a batch brings is exactly what the log holds', async () => {
    await until('an event that came through Redis', async () => {
      const { relay } = follower.eventLog.counts;
      await db.database.api.queryText(insertEvent, ['"quoted", ünïcode and \u2028']);
      leader.wakeUps.signal('events');
      await until('the event', () => follower.eventLog.tail > 0 && follower.seen.length === leader.seen.length && leader.seen.length > 0);
      return follower.eventLog.counts.relay > relay;
    });
    expect(follower.seen).toEqual(await follower.eventLog.read(0));
  });

  test('a batch too large to be sent is read from the log', async () => {
    await db.database.api.queryText(insertEvent.replace('RETURNING', 'FROM generate_series(1, 100) RETURNING'), ['x'.repeat(8_000)]);
    leader.wakeUps.signal('events');
    await until('the events', () => follower.seen.length === 100);
    expect(follower.eventLog.counts).toEqual({ log: 100, relay: 0 });
    expect(follower.seen).toEqual(leader.seen);
  });
});
