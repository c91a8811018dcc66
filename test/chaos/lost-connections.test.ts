import { afterAll, beforeAll, expect, test } from 'vitest';
import { isTransient } from '../../src/database/database-errors.js';
import { Database, statement } from '../../src/database/database.js';
import { Leader } from '../../src/engine/leader.js';
import { WakeUps } from '../../src/events/wake-ups.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { until } from '../support/until.js';
import { Proxy } from './proxy.js';

/*
 * A router that restarts forgets the connections through it, and tells neither side. Whoever only waits, waits for ever.
 * The limits are those of the server, 10 to 20 seconds, so the tests run at the same time.
 */

const limitMs = 90_000;
let cloned: TestDatabase;

beforeAll(async () => {
  cloned = await createDatabase();
});
afterAll(() => cloned.drop());

function open(url: string): Database {
  return new Database({ connection: { connectionString: url }, poolSize: 2, onError: () => undefined });
}

/** The database through a proxy of its own. */
async function openThroughProxy(): Promise<{ database: Database; proxy: Proxy }> {
  const { hostname, port, username, password, pathname, searchParams } = new URL(cloned.url);
  const directory = searchParams.get('host');
  const number = Number(port || 5432);
  const proxy = await Proxy.start(directory ? { path: `${directory}/.s.PGSQL.${number}` } : { host: hostname, port: number });
  const account = password ? `${username}:${password}` : username;
  return { database: open(`postgresql://${account}@127.0.0.1:${proxy.port}${pathname}`), proxy };
}

const one = statement<{ one: number }>('one', 'SELECT 1 AS one');

test.concurrent(
  'a statement on a lost connection fails in time, and the next one gets a new connection',
  { timeout: limitMs },
  async () => {
    const { database, proxy } = await openThroughProxy();
    expect(await database.engine.query(one)).toEqual([{ one: 1 }]);
    proxy.forget();
    const error: unknown = await database.engine.query(one).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(Error);
    expect(isTransient(error as Error)).toBe(true);
    expect(await database.engine.query(one)).toEqual([{ one: 1 }]);
    await database.close();
    await proxy.close();
  },
);

test.concurrent('a leader that the database no longer hears makes room for another one', { timeout: limitMs }, async () => {
  const { database: unheard, proxy } = await openThroughProxy();
  const database = open(cloned.url);
  const [first, second] = [unheard, database].map((own) => new Leader(own, () => undefined));
  await first!.start();
  await second!.start();
  expect([first!.isLeader, second!.isLeader]).toEqual([true, false]);
  proxy.forget();
  await until('the second one leads', () => second!.isLeader, limitMs);
  await until('the first one knows', () => !first!.isLeader, limitMs);
  await Promise.all([first!.stop(), second!.stop()]);
  await Promise.all([unheard.close(), database.close()]);
  await proxy.close();
});

test.concurrent('a replica whose listening connection was lost hears of work again', { timeout: limitMs }, async () => {
  const { database: deaf, proxy } = await openThroughProxy();
  const database = open(cloned.url);
  const [listener, sender] = [deaf, database].map((own, index) => new WakeUps(own, `replica-${index}`, () => undefined));
  await listener!.start();
  await sender!.start();
  let heard = 0;
  listener!.on('queued', () => heard++);
  sender!.signal('queued');
  await until('the first wake-up', () => heard > 0);
  proxy.forget();
  heard = 0;
  await until(
    'a wake-up after the loss',
    () => {
      sender!.signal('queued');
      return heard > 0;
    },
    limitMs,
  );
  await Promise.all([listener!.stop(), sender!.stop()]);
  await Promise.all([deaf.close(), database.close()]);
  await proxy.close();
});
