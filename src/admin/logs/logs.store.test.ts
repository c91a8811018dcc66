import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { openTestDatabase } from '../../../test/support/database.js';
import type { LogLine } from '../../logging/log-line.js';
import { LogsStore, type StoredLine } from './logs.store.js';

let db: Awaited<ReturnType<typeof openTestDatabase>>;
let store: LogsStore;

beforeAll(async () => {
  db = await openTestDatabase();
  store = new LogsStore(db.database);
});
afterAll(() => db?.close());
beforeEach(async () => {
  await db.database.api.queryText('TRUNCATE log_lines');
  await db.database.api.queryText('UPDATE log_position SET last_id = 0');
});

const line = (msg: string, more: Partial<LogLine> = {}): LogLine => ({
  at: new Date().toISOString(),
  level: 30,
  msg,
  request_id: null,
  trace_id: null,
  task_id: null,
  fields: '{}',
  ...more,
});
const some = (count: number, msg = 'line') => Array.from({ length: count }, (_, index) => line(`${msg} ${index}`));
const ids = async () => (await db.database.api.queryText<{ id: number }>('SELECT id FROM log_lines ORDER BY id')).map(({ id }) => id);
const numbers = (from: number, through: number) => Array.from({ length: through - from + 1 }, (_, index) => from + index);

test('there are never more lines than the limit, and the newest stay', async () => {
  await store.add('one', some(700), 1_000);
  await store.add('two', some(700), 1_000);
  expect(await ids()).toEqual(numbers(401, 1_400));
  // A limit that is lowered is reached in steps.
  await store.add('one', some(1), 10);
  expect(await ids()).toEqual(numbers(1_392, 1_401));
});

test('replicas that store at the same time leave no gap, and a reader meanwhile misses nothing', async () => {
  const writers = ['one', 'two', 'three'].map(async (replica) => {
    for (let batch = 0; batch < 40; batch++) await store.add(replica, some(7, `${replica} ${batch}`), 100_000);
  });
  let isOver = false;
  const done = Promise.all(writers).then(() => (isOver = true));
  const seen: StoredLine[] = [];
  for (let position = 0; ;) {
    const last = isOver;
    const { lines, through, tail, lost } = await store.after({}, position);
    expect(lost).toBe(false);
    seen.push(...lines);
    position = through;
    if (last && position === tail) break;
  }
  await done;
  expect(seen.map(({ id }) => id)).toEqual(numbers(1, 840));
  for (const replica of ['one', 'two', 'three']) {
    const told = seen.filter(({ replica_id }) => replica_id === replica).map(({ msg }) => msg);
    expect(told).toEqual(Array.from({ length: 40 }, (_, batch) => some(7, `${replica} ${batch}`).map(({ msg }) => msg)).flat());
  }
});

test('a reader with a filter goes on behind what it has looked at, and is told when lines are gone', async () => {
  for (let batch = 0; batch < 5; batch++) await store.add('one', some(1_000), 100_000);
  await store.add('one', [line('needle', { level: 50 })], 100_000);
  expect(await store.after({ level: 50 }, 0)).toMatchObject({ lines: [], through: 2_000, tail: 5_001, lost: false });
  expect((await store.after({ level: 50 }, 4_000)).lines.map(({ msg }) => msg)).toEqual(['needle']);
  expect((await store.after({}, 0)).through).toBe(200);
  await db.database.api.queryText('DELETE FROM log_lines WHERE id <= 100');
  expect((await store.after({}, 99)).lost).toBe(true);
  expect((await store.after({}, 100)).lost).toBe(false);
  expect((await store.after({}, 5_002)).lost).toBe(true);
  await db.database.api.queryText('DELETE FROM log_lines');
  expect(await store.after({}, 5_001)).toEqual({ lines: [], through: 5_001, tail: 5_001, lost: false });
  expect((await store.after({}, 5_000)).lost).toBe(true);
});

test('old lines are pruned in steps, also those that were stored late', async () => {
  const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString();
  await store.add('one', [...some(3).map((each) => ({ ...each, at: hoursAgo(30) })), line('kept', { at: hoursAgo(10) })], 1_000);
  await store.add('two', [line('late', { at: hoursAgo(29) })], 1_000);
  expect(await store.prune(24, 2)).toBe(2);
  expect(await store.prune(24, 2)).toBe(1);
  expect(await ids()).toEqual([4, 5]);
  expect(await store.prune(5, 10)).toBe(2);
  expect(await ids()).toEqual([]);
});
