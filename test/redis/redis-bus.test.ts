import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { RedisBus } from '../../src/events/redis-bus.js';
import { openTestDatabase } from '../support/database.js';
import { hasRedis, redisOrSkipped, TestRedis } from '../support/redis.js';
import { until } from '../support/until.js';

describe.skipIf(!hasRedis)(`messages ${redisOrSkipped}`, () => {
  let db: Awaited<ReturnType<typeof openTestDatabase>>;
  let errors: Error[] = [];
  let closing: { close(): Promise<void> }[] = [];

  beforeAll(async () => {
    db = await openTestDatabase();
  });
  afterEach(async () => {
    for (const each of closing.toReversed()) await each.close();
    closing = [];
    errors = [];
  });
  afterAll(() => db?.close());

  async function redis(...args: string[]): Promise<TestRedis> {
    const started = await TestRedis.start(...args);
    closing.push(started);
    return started;
  }

  async function openBus(url: string, replicaId: string, database = db.database) {
    const bus = new RedisBus(url, replicaId, (error) => errors.push(error));
    const heard: string[] = [];
    bus.on('wake-ups', (text) => heard.push(text));
    await bus.start(database);
    closing.push(bus);
    return { bus, heard };
  }

  /** Two replicas hear each other, and nobody hears himself. */
  async function proveExchange(url: string): Promise<void> {
    const [one, two] = [await openBus(url, 'one'), await openBus(url, 'two')];
    await until('both to be connected', () => one.bus.connected && two.bus.connected);
    await one.bus.publish('wake-ups', 'from one');
    await two.bus.publish('wake-ups', 'from two');
    await until('both messages', () => one.heard.length > 0 && two.heard.length > 0);
    expect([one.heard, two.heard]).toEqual([['from two'], ['from one']]);
  }

  test('one server that asks for a password', async () => {
    const { url } = await redis('--requirepass', 'a p@ss,word');
    await proveExchange(url.replace('//', `//:${encodeURIComponent('a p@ss,word')}@`));
    expect(errors).toEqual([]);
  });

  test('a Cluster', async () => {
    const nodes = [await redis('--cluster-enabled', 'yes'), await redis('--cluster-enabled', 'yes')];
    const [first, second] = nodes.map(({ url }) => new Redis(url));
    await first!.cluster('ADDSLOTSRANGE', 0, 8_191);
    await second!.cluster('ADDSLOTSRANGE', 8_192, 16_383);
    await first!.cluster('MEET', '127.0.0.1', nodes[1]!.port);
    for (const node of [first!, second!]) {
      await until('the cluster to be formed', async () => {
        const info = await node.cluster('INFO');
        return info.includes('cluster_state:ok') && info.includes('cluster_known_nodes:2');
      });
    }
    await Promise.all([first!.quit(), second!.quit()]);
    await proveExchange(nodes.map(({ url }) => url).join(','));
  });

  test('Sentinels', async () => {
    const master = await redis('--requirepass', 'secret');
    const sentinel = await redis('--sentinel');
    const client = new Redis(sentinel.url);
    await client.call('SENTINEL', 'MONITOR', 'main', '127.0.0.1', master.port, 1);
    await client.call('SENTINEL', 'SET', 'main', 'auth-pass', 'secret');
    client.disconnect();
    await proveExchange(`redis+sentinel://:secret@127.0.0.1:${sentinel.port},127.0.0.1:1/main`);
  });

  test('replicas of another database on the same Redis hear nothing', async () => {
    const { url } = await redis();
    const other = await openTestDatabase();
    const [ours, theirs, friend] = [await openBus(url, 'ours'), await openBus(url, 'theirs', other.database), await openBus(url, 'friend')];
    await until('all to be connected', () => [ours, theirs, friend].every(({ bus }) => bus.connected));
    await ours.bus.publish('wake-ups', 'ours alone');
    await until('the friend to hear it', () => friend.heard.length > 0);
    await friend.bus.publish('wake-ups', 'and an answer');
    await until('the answer', () => ours.heard.length > 0);
    expect(theirs.heard).toEqual([]);
    await other.close();
  });

  test('a Redis that refuses to publish counts as away until it allows it', async () => {
    const { url } = await redis();
    const admin = new Redis(url);
    await admin.acl('SETUSER', 'default', '-publish');
    const { bus } = await openBus(url, 'refused');
    await until('the refusal', () => errors.some(({ message }) => message.includes('NOPERM')));
    expect(bus.connected).toBe(false);
    await expect(bus.publish('wake-ups', 'x')).rejects.toThrow('Redis is away.');
    await admin.acl('SETUSER', 'default', '+publish');
    await until('Redis to be usable', () => bus.connected);
    await admin.quit();
  });

  test('a server that is not there holds up the start for two seconds at most', async () => {
    const { url, port } = await redis();
    await closing.pop()!.close();
    const begun = performance.now();
    const { bus } = await openBus(url, 'alone');
    await openBus(`redis+sentinel://127.0.0.1:${port}/main`, 'alone');
    await openBus(`${url},${url}`, 'alone');
    // Three starts; the rest is for a busy machine.
    expect(performance.now() - begun).toBeLessThan(3 * 2_000 + 4_000);
    expect(bus.connected).toBe(false);
  });
});
