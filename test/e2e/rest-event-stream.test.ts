import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { streamEvents, type StreamEvent } from '../support/event-stream.js';
import { HandWorker } from '../support/hand-worker.js';
import { expectInvalid } from '../support/problem.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { until } from '../support/until.js';

let server: TestServer;
let worker: HandWorker;
const cuts: AbortController[] = [];
beforeAll(async () => {
  server = await startTestServer({ RUNNER_SLOTS: '0' });
  worker = new HandWorker(server);
});
afterEach(() => cuts.splice(0).forEach((cut) => cut.abort()));
afterAll(() => server.close());

const create = async (fields: object = {}) => (await server.api('POST', '/tasks', { name: 'a', ...fields })).body;

async function open(id: string, { lastEventId, query = '', of = server }: { lastEventId?: string; query?: string; of?: TestServer } = {}) {
  const cut = new AbortController();
  cuts.push(cut);
  const headers = {
    authorization: `Bearer ${of.token}`,
    accept: 'text/event-stream',
    ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
  };
  const response = await fetch(`${of.url}/tasks/${id}/events${query}`, { headers, signal: cut.signal });
  return { response, events: streamEvents(response), cut };
}

/** The next events of a stream; waits for them. */
async function take(events: AsyncGenerator<StreamEvent>, count: number): Promise<StreamEvent[]> {
  const taken: StreamEvent[] = [];
  while (taken.length < count) {
    const { value, done } = await events.next();
    if (done) throw new Error(`The stream ended after ${taken.length} of ${count} events.`);
    taken.push(value);
  }
  return taken;
}

const rename = (id: string, name: string) => server.api('PATCH', `/tasks/${id}`, { name });
const namesOf = (events: StreamEvent[]) => events.map(({ data }) => data.name);

test('a stream begins with what has happened and goes on as it happens', async () => {
  const { id } = await create();
  await rename(id, 'before');
  const { response, events } = await open(id);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
  expect(response.headers.get('cache-control')).toContain('no-store');
  expect(namesOf(await take(events, 2))).toEqual(['a', 'before']);
  await server.api('POST', `/tasks/${id}/execute`);
  await worker.complete(await worker.claim(id));
  const live = await take(events, 3);
  expect(live.map(({ event }) => event)).toEqual(['task_queued', 'task_started', 'task_completed']);
  for (const { id: eventId, event, data } of live) expect(data).toMatchObject({ id, seq: Number(eventId), action: event });
});

test('a number beyond the log, or older than what is kept, is answered by a reset and the events from now on', async () => {
  const { id } = await create();
  // "Now" is where the server's tail is, which follows the log at a distance.
  const [created] = (await server.api('GET', `/tasks/${id}/events`)).body.items as { seq: number }[];
  await until('the tail to pass the create', () => server.server.kernel.eventLog.tail >= created!.seq);
  const { events } = await open(id, { lastEventId: '999999999' });
  const [reset] = await take(events, 1);
  expect(reset).toMatchObject({ event: 'reset', data: { seq: expect.any(Number) } });
  await rename(id, 'after');
  expect(namesOf(await take(events, 1))).toEqual(['after']);
});

test('each event is the one that the JSON pages show', async () => {
  const { id } = await create();
  const { events } = await open(id);
  await rename(id, 'é😀"\n'.trim());
  const taken = await take(events, 2);
  const { body } = await server.api('GET', `/tasks/${id}/events`);
  expect(taken.map(({ data }) => data)).toEqual(body.items);
});

test('events of other tasks do not come', async () => {
  const [mine, other] = [await create({ name: 'mine' }), await create({ name: 'other' })];
  const { events } = await open(mine.id);
  await take(events, 1);
  await rename(other.id, 'other again');
  await rename(mine.id, 'mine again');
  expect(namesOf(await take(events, 1))).toEqual(['mine again']);
});

describe('Last-Event-ID', () => {
  test('resumes exactly after the given event, wherever the stream was cut', async () => {
    const { id } = await create({ name: 'n0' });
    const seen: StreamEvent[] = [];
    let written = 1;
    while (seen.length < 30) {
      const { events, cut } = await open(id, { lastEventId: seen.at(-1)?.id });
      for (let index = 0; index < 4 && written < 30; index++) await rename(id, `n${written++}`);
      // Cut with events on the way that were not read.
      seen.push(...(await take(events, Math.min(3, written - seen.length))));
      cut.abort();
    }
    expect(namesOf(seen)).toEqual(Array.from({ length: 30 }, (_, index) => `n${index}`));
    expect(new Set(seen.map((event) => event.id)).size).toBe(30);
  });

  test('goes before a cursor of the query, which does the same', async () => {
    const { id } = await create({ name: 'n0' });
    for (let index = 1; index < 5; index++) await rename(id, `n${index}`);
    const all = await take((await open(id)).events, 5);
    expect(namesOf(await take((await open(id, { query: `?cursor=${all[1]!.id}` })).events, 3))).toEqual(['n2', 'n3', 'n4']);
    expect(namesOf(await take((await open(id, { query: `?cursor=${all[1]!.id}`, lastEventId: all[3]!.id })).events, 1))).toEqual(['n4']);
  });

  test('that is empty, as a browser sends it at first, begins at the beginning', async () => {
    const { id } = await create();
    expect(await take((await open(id, { lastEventId: '' })).events, 1)).toMatchObject([{ event: 'task_created' }]);
  });

  test.each(['x', '-1', '1.5', '1, 2', '9999999999999999'])('%j is refused before the stream begins', async (lastEventId) => {
    const { id } = await create();
    const headers = { accept: 'text/event-stream', 'last-event-id': lastEventId };
    expectInvalid(await server.api('GET', `/tasks/${id}/events`, undefined, headers), 'Last-Event-ID');
  });
});

test('a stream goes on to the deletion of its task', async () => {
  const { id } = await create();
  const { events } = await open(id);
  await take(events, 1);
  await server.api('DELETE', `/tasks/${id}`);
  expect(await take(events, 1)).toMatchObject([{ event: 'task_deleted', data: { id } }]);
});

test('many events at once come all, in order', async () => {
  const { id } = await create({ start: 'auto' });
  const attempt = await worker.claim(id);
  const { events } = await open(id);
  const messages = Array.from({ length: 2_500 }, (_, index) => `line ${index}`);
  await worker.log(attempt, ...messages);
  const taken = await take(events, 2 + messages.length);
  expect(taken.slice(2).map(({ data }) => data.log.message)).toEqual(messages);
});

test('HEAD answers the headers of the stream and ends', async () => {
  const { id } = await create();
  const answer = await server.api('HEAD', `/tasks/${id}/events`, undefined, { accept: 'text/event-stream' });
  expect(answer).toMatchObject({ status: 200, body: '' });
  expect(answer.headers.get('content-type')).toMatch(/^text\/event-stream/);
});

test('streams end when the server closes, and do not hold it up', async () => {
  const closing = await startTestServer({ RUNNER_SLOTS: '0' });
  let closed = false;
  try {
    const { body } = await closing.api('POST', '/tasks', { name: 'a' });
    const streams = await Promise.all(Array.from({ length: 5 }, () => open(body.id, { of: closing })));
    await Promise.all(streams.map(({ events }) => take(events, 1)));
    const ends = streams.map(({ events }) => events.next());
    const begun = performance.now();
    await closing.close();
    closed = true;
    expect(performance.now() - begun).toBeLessThan(8_000);
    expect(await Promise.all(ends)).toEqual(streams.map(() => ({ value: undefined, done: true })));
  } finally {
    if (!closed) await closing.close();
  }
});
