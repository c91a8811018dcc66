import type { Socket } from 'socket.io-client';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { Database } from '../../src/database/database.js';
import { taskActions } from '../../src/events/events.js';
import { ask, closeSockets, collectEvents, connectSocket, type NamedEvent } from '../support/socket-client.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { until } from '../support/until.js';

let server: TestServer;
let database: Database;

beforeAll(async () => {
  server = await startTestServer();
  database = server.server.app.get(Database);
});
afterEach(closeSockets);
afterAll(() => server.close());

function client(): Promise<Socket> {
  return connectSocket(`${server.url}/tasks`, { auth: { token: server.token } });
}

/** Creates a task that runs at once, and waits for its end. */
async function finished(task: object): Promise<{ id: string }> {
  const { body } = await server.api('POST', '/tasks?wait=30', { start: 'auto', ...task });
  expect(['completed', 'failed']).toContain(body.status);
  return body;
}

async function lastSeq(): Promise<number> {
  const [row] = await database.api.queryText<{ seq: number }>('SELECT coalesce(max(seq), 0)::int AS seq FROM events', []);
  return row!.seq;
}

async function arrived(events: NamedEvent[], action: string, id: string): Promise<void> {
  await until(`${action} of ${id}`, () => events.some((event) => event.action === action && event.id === id));
}

test('events are named by their action and carry seq, action, at, id and the task, without parameters and result', async () => {
  const socket = await client();
  const events = collectEvents(socket);
  const { seq } = await ask(socket, 'subscribe', {});
  const { id } = await finished({ name: 'watched', parameters: { secret: 1 }, labels: { a: 'b' } });
  const slept = await finished({ name: 'sleeper', type: 'sleep', parameters: { seconds: 0.3, fail: true } });
  const deleted = await ask(socket, 'create', { name: 'doomed' });
  await ask(socket, 'update', { id: deleted.id, priority: 'low' });
  await ask(socket, 'cancel', { id: deleted.id });
  await ask(socket, 'delete', { id: deleted.id });
  await arrived(events, 'task_deleted', deleted.id);

  let last = seq as number;
  for (const event of events) {
    expect(event.event).toBe(event.action);
    expect(taskActions).toContain(event.action);
    expect(event).toMatchObject({
      at: expect.stringMatching(/^\d{4}-.*Z$/),
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      name: expect.any(String),
    });
    expect(event).not.toHaveProperty('parameters');
    expect(event).not.toHaveProperty('result');
    expect(event.seq).toBeGreaterThan(last);
    last = event.seq;
  }
  const actionsOf = (task: string) =>
    events.filter((event) => event.id === task && event.action !== 'task_progress').map(({ action }) => action);
  expect(actionsOf(id)).toEqual(['task_created', 'task_started', 'task_completed']);
  expect(actionsOf(slept.id)).toEqual(['task_created', 'task_started', 'task_failed']);
  expect(actionsOf(deleted.id)).toEqual(['task_created', 'task_updated', 'task_cancelled', 'task_deleted']);
  expect(events.find((event) => event.id === slept.id && event.action === 'task_failed')).toMatchObject({
    error: { code: 'SLEEP_FAILED' },
  });
});

test('every filter lets through exactly its events, and several must all hold', async () => {
  const mark = await lastSeq();
  const one = await finished({ name: 'filter one', queue: 'q1', priority: 'high', labels: { team: 'a', env: 'x' } });
  const two = await finished({
    name: 'filter two',
    queue: 'q2',
    type: 'sleep',
    parameters: { seconds: 0 },
    labels: { team: 'b', env: 'x' },
  });
  const three = await finished({ name: 'filter three', type: 'sleep', parameters: { seconds: 0, fail: true }, priority: 'low' });
  const through = await lastSeq();
  const rows = await database.api.queryText<{ seq: number; id: string; status: string }>(
    'SELECT seq::int, task_id AS id, status FROM events WHERE seq > $1 AND seq <= $2 ORDER BY seq',
    [mark, through],
  );
  const ofTasks =
    (...ids: string[]) =>
    (row: { id: string }) =>
      ids.includes(row.id);
  const cases: [object, (row: { id: string; status: string }) => boolean][] = [
    [{}, () => true],
    [{ id: [one.id, three.id.toUpperCase()] }, ofTasks(one.id, three.id)],
    [{ id: [] }, () => false],
    [{ queue: ['q1', 'q2'] }, ofTasks(one.id, two.id)],
    [{ queue: 'q1,q2' }, ofTasks(one.id, two.id)],
    [{ type: ['sleep'] }, ofTasks(two.id, three.id)],
    [{ priority: ['high', 'low'] }, ofTasks(one.id, three.id)],
    [{ name: ['filter two'] }, ofTasks(two.id)],
    [{ label: ['env=x'] }, ofTasks(one.id, two.id)],
    [{ label: ['env=x', 'team=b'] }, ofTasks(two.id)],
    [{ label: ['team=a', 'team=b'] }, () => false],
    [{ label: 'team=a,team=b' }, ofTasks(one.id, two.id)],
    [{ label: ['constructor=x'] }, () => false],
    [{ status: ['completed', 'failed'] }, (row) => row.status === 'completed' || row.status === 'failed'],
    [{ status: ['completed'], queue: ['q1'] }, (row) => row.status === 'completed' && row.id === one.id],
    [{ type: ['sleep'], priority: ['high'] }, () => false],
  ];
  for (const [filters, expected] of cases) {
    const socket = await client();
    const events = collectEvents(socket);
    // Past the replay comes the live part: the last event of another subscription tells when both have passed.
    expect(await ask(socket, 'subscribe', { ...filters, since: mark })).toEqual({ seq: mark, reset: false });
    const wanted = rows.filter(expected).map(({ seq }) => seq);
    await until(`${wanted.length} events for ${JSON.stringify(filters)}`, () => events.length >= wanted.length);
    await ask(socket, 'subscribe', { since: through });
    const { id } = await ask(socket, 'create', { name: 'fence' });
    await arrived(events, 'task_created', id);
    expect(events.map(({ seq }) => seq).filter((seq) => seq <= through)).toEqual(wanted);
  }
});

test('live events go through the same filters', async () => {
  const [narrow, wide] = [await client(), await client()];
  const [few, all] = [collectEvents(narrow), collectEvents(wide)];
  await ask(narrow, 'subscribe', { label: ['live=yes'], status: ['completed'] });
  await ask(wide, 'subscribe', {});
  const other = await finished({ name: 'other', labels: { live: 'no' } });
  const wanted = await finished({ name: 'wanted', labels: { live: 'yes' } });
  await arrived(all, 'task_completed', other.id);
  await arrived(few, 'task_completed', wanted.id);
  expect(few.map(({ action, id }) => [action, id])).toEqual([['task_completed', wanted.id]]);
});

test('the ack of subscribe comes before the first event, and no event is older than it', async () => {
  const socket = await client();
  // Events keep coming while clients subscribe.
  const writing = Promise.all(Array.from({ length: 60 }, (_, n) => server.api('POST', '/tasks', { name: `busy ${n}` })));
  for (let round = 0; round < 20; round++) {
    const order: (number | 'ack')[] = [];
    const other = await client();
    other.onAny((_, { seq }: { seq: number }) => order.push(seq));
    const { seq } = await new Promise<{ seq: number }>((resolve) => {
      other.emit('subscribe', {}, (answer: { seq: number }) => {
        order.push('ack');
        resolve(answer);
      });
    });
    const { id } = await ask(socket, 'create', { name: 'after' });
    const [row] = await database.api.queryText<{ seq: number }>('SELECT seq::int FROM events WHERE task_id = $1', [id]);
    await until('the event after the ack', () => order.includes(row!.seq));
    expect(order[0]).toBe('ack');
    const seqs = order.slice(1) as number[];
    expect(seqs).toEqual(Array.from({ length: seqs.length }, (_, n) => seq + 1 + n));
    other.disconnect();
  }
  await writing;
});

test('a second subscription takes the place of the first, and unsubscribe ends it', async () => {
  const [socket, watcher] = [await client(), await client()];
  const [events, all] = [collectEvents(socket), collectEvents(watcher)];
  await ask(watcher, 'subscribe', {});
  await ask(socket, 'subscribe', { name: ['first'] });
  await ask(socket, 'subscribe', { name: ['second'] });
  await ask(socket, 'create', { name: 'first' });
  const second = await ask(socket, 'create', { name: 'second' });
  await arrived(events, 'task_created', second.id);
  expect(events.map(({ name }) => name)).toEqual(['second']);

  expect(await ask(socket, 'unsubscribe', {})).toEqual({});
  expect(await ask(socket, 'unsubscribe')).toEqual({});
  const third = await ask(socket, 'create', { name: 'second' });
  await arrived(all, 'task_created', third.id);
  // An answer on the same connection is behind every event that was sent before it.
  await ask(socket, 'get', { id: third.id });
  expect(events).toHaveLength(1);
});

test('of two subscriptions sent at once the later one counts, and so does an unsubscribe behind them', async () => {
  const [socket, other] = [await client(), await client()];
  const [events, silent] = [collectEvents(socket), collectEvents(other)];
  const since = await lastSeq();
  // The first one has to ask the database whether it can resume, and is overtaken.
  await Promise.all([ask(socket, 'subscribe', { since, name: ['early'] }), ask(socket, 'subscribe', { name: ['late'] })]);
  await Promise.all([ask(other, 'subscribe', { since, name: ['early', 'late'] }), ask(other, 'unsubscribe')]);
  await ask(socket, 'create', { name: 'early' });
  const late = await ask(socket, 'create', { name: 'late' });
  await arrived(events, 'task_created', late.id);
  expect(events.map(({ name }) => name)).toEqual(['late']);
  await ask(other, 'get', { id: late.id });
  expect(silent).toEqual([]);
});

test('a client that leaves while it subscribes leaves nothing behind', async () => {
  const watcher = await client();
  const events = collectEvents(watcher);
  await ask(watcher, 'subscribe', { name: ['left'] });
  for (let round = 0; round < 10; round++) {
    const leaver = await client();
    leaver.emit('subscribe', { since: 0, name: ['left'] });
    leaver.io.engine.close();
  }
  const { id } = await ask(watcher, 'create', { name: 'left' });
  await arrived(events, 'task_created', id);
  const again = await client();
  const replayed = collectEvents(again);
  await ask(again, 'subscribe', { since: 0, name: ['left'] });
  await arrived(replayed, 'task_created', id);
  expect(replayed).toEqual(events);
});
