import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTestEngine, type TestEngine } from '../../test/support/engine.js';
import { connectTo, insertEvent, tailAsksForWriters, writeOutOfOrder } from '../../test/support/event-writers.js';
import { until } from '../../test/support/until.js';
import { EventLog } from './event-log.js';
import type { LogEvent } from './events.js';

let t: TestEngine;
beforeEach(async () => {
  t = await startTestEngine();
});
afterEach(() => t.close());

const connect = () => connectTo(t.url);

function collect(log: EventLog): LogEvent[] {
  const seen: LogEvent[] = [];
  log.subscribe((events) => seen.push(...events));
  return seen;
}

const names = (events: LogEvent[]) => events.map((event) => event.data.name);

test('a row that commits after a later number is waited for, and order is kept', async () => {
  const seen = collect(t.eventLog);
  const slow = await connect();
  await slow.query('BEGIN');
  await slow.query(insertEvent, ['first number, last to commit']);
  await t.database.api.queryText(insertEvent, ['second number']);
  t.wakeUps.signal('events');
  // The tail has seen the gap when it asks who is writing; until the slow one ends, nothing may be handed on.
  await tailAsksForWriters(t.url);
  expect(seen).toEqual([]);
  await slow.query('COMMIT');
  await until('both events', () => seen.length === 2);
  expect(names(seen)).toEqual(['first number, last to commit', 'second number']);
  await slow.end();
});

test('a number that was rolled back does not hold up what comes after it', async () => {
  const seen = collect(t.eventLog);
  const doomed = await connect();
  await doomed.query('BEGIN');
  await doomed.query(insertEvent, ['never']);
  await t.database.api.queryText(insertEvent, ['after the hole']);
  t.wakeUps.signal('events');
  await doomed.query('ROLLBACK');
  await until('the event after the hole', () => seen.length === 1);
  expect(names(seen)).toEqual(['after the hole']);
  await doomed.end();
});

test('a long transaction elsewhere that writes no events does not delay the tail', async () => {
  const seen = collect(t.eventLog);
  const other = await connect();
  await other.query('BEGIN');
  await other.query('CREATE TABLE unrelated (x int)');
  const doomed = await connect();
  await doomed.query('BEGIN');
  await doomed.query(insertEvent, ['never']);
  await doomed.query('ROLLBACK');
  await t.database.api.queryText(insertEvent, ['soon']);
  t.wakeUps.signal('events');
  await until('the event in spite of the open transaction', () => seen.length === 1);
  await Promise.all([other.query('ROLLBACK').then(() => other.end()), doomed.end()]);
});

test('many writers that commit and roll back out of order: readers get every committed row once, in order', async () => {
  const seen = collect(t.eventLog);
  const committed = await writeOutOfOrder(t.url, 8, 40, () => t.wakeUps.signal('events'));
  await until('all committed events', () => seen.length >= committed.length);
  expect(seen.map((event) => event.seq)).toEqual(committed);
  expect(t.errors).toEqual([]);
});

test('a tail that starts while a writer is open does not miss its row', async () => {
  const slow = await connect();
  await slow.query('BEGIN');
  const { rows } = await slow.query<{ seq: string }>(insertEvent, ['open at the start']);
  await t.database.api.queryText(insertEvent, ['committed before the start']);
  const log = new EventLog(t.database, t.wakeUps, (error) => t.errors.push(error));
  const started = log.start();
  await slow.query('COMMIT');
  await started;
  expect(log.tail).toBeGreaterThan(Number(rows[0]!.seq));
  // Settled before the tail began: whoever takes this tail as its `since` has lost nothing.
  expect(names(await log.read(0))).toEqual(['open at the start', 'committed before the start']);
  await Promise.all([log.stop(), slow.end()]);
});

test('following from a number gives the past, then the present, and ends with its signal', async () => {
  for (const name of ['a', 'b', 'c']) await t.database.api.queryText(insertEvent, [name]);
  t.wakeUps.signal('events');
  await until('the tail to catch up', () => t.eventLog.tail >= 3);
  const stop = new AbortController();
  const seen: LogEvent[] = [];
  const following = (async () => {
    for await (const events of t.eventLog.follow(1, stop.signal)) seen.push(...events);
  })();
  await until('the past', () => seen.length === 2);
  await t.database.api.queryText(insertEvent, ['d']);
  t.wakeUps.signal('events');
  await until('the present', () => seen.length === 3);
  expect(names(seen)).toEqual(['b', 'c', 'd']);
  stop.abort();
  await following;
});

test('while nobody listens the tail moves on without the events, by the same rule', async () => {
  const slow = await connect();
  await slow.query('BEGIN');
  await slow.query(insertEvent, ['first number, last to commit']);
  await t.database.api.queryText(insertEvent, ['second number']);
  t.wakeUps.signal('events');
  await tailAsksForWriters(t.url);
  expect(t.eventLog.tail).toBe(0);
  await slow.query('COMMIT');
  await until('the tail to move', () => t.eventLog.tail === 2);
  expect(t.eventLog.counts).toEqual({ log: 0, relay: 0 });
  await slow.end();
});

test('who begins to listen while the tail moves on unheard gets everything after the tail that it saw', async () => {
  for (let round = 0; round < 50; round++) {
    const inserted = t.database.api.queryText(insertEvent, [`round ${round}`]);
    t.wakeUps.signal('events');
    await inserted;
    t.wakeUps.signal('events');
    // At each round another moment of the read that is under way.
    for (let turn = 0; turn < round % 7; turn++) await new Promise(setImmediate);
    const from = t.eventLog.tail;
    const seen: LogEvent[] = [];
    const stopListening = t.eventLog.subscribe((events) => seen.push(...events));
    await until('the tail to reach the event', () => t.eventLog.tail === round + 1);
    stopListening();
    expect(seen.map((event) => event.seq)).toEqual(Array.from({ length: round + 1 - from }, (_, index) => from + index + 1));
  }
});

test('resuming is possible back to where the log was pruned, and not beyond its end', async () => {
  for (const name of ['a', 'b', 'c']) await t.database.api.queryText(insertEvent, [name]);
  await t.database.api.queryText('UPDATE event_log_state SET pruned_through = 1');
  expect(await Promise.all([0, 1, 3, 4].map((since) => t.eventLog.canResumeFrom(since)))).toEqual([false, true, true, false]);
});

test('wake-ups cross replicas, and survive a cut connection', async () => {
  const other = await startListener();
  const woken: string[] = [];
  other.wakeUps.on('queued', () => woken.push('queued'));
  t.wakeUps.signal('queued');
  await until('the hint of the other replica', () => woken.length > 0);
  await t.database.api.queryText("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'arkitect wake-ups'");
  await until('the cut to be noticed', () => !other.wakeUps.connected);
  await until('a new connection', () => other.wakeUps.connected);
  woken.length = 0;
  t.wakeUps.signal('queued');
  await until('the hint after the cut', () => woken.length > 0);
  await other.stop();
});

async function startListener() {
  const { WakeUps } = await import('./wake-ups.js');
  const wakeUps = new WakeUps(t.database, 'another replica', () => undefined);
  await wakeUps.start();
  return { wakeUps, stop: () => wakeUps.stop() };
}
