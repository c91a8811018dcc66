import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../support/server.js';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ RUNNER_SLOTS: '0' });
});
afterAll(() => server.close());

interface Item {
  id: string;
  name: string;
}

/** Creates that many tasks in this queue; answers their ids, oldest first. */
async function fill(queue: string, count: number, fields: (index: number) => object = () => ({})): Promise<string[]> {
  const tasks = Array.from({ length: count }, (_, index) => ({ name: `n${index % 3}`, queue, ...fields(index) }));
  const { body } = await server.api('POST', '/tasks/bulk', { tasks });
  return body.items.map((item: { task: Item }) => item.task.id).toSorted();
}

/** Follows the cursors to the end; `between` runs after each page. */
async function walk(query: string, between?: () => Promise<unknown>): Promise<Item[][]> {
  const pages: Item[][] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const { status, body } = await server.api('GET', `/tasks?${query}${cursor && `&cursor=${cursor}`}`);
    expect(status, JSON.stringify(body)).toBe(200);
    pages.push(body.items);
    expect(pages.length).toBeLessThan(2_000);
    if (body.next_cursor !== null) expect(body.next_cursor).toBe(body.items.at(-1).id);
    cursor = body.next_cursor;
    await between?.();
  }
  return pages;
}

const idsOf = (pages: Item[][]) => pages.flat().map(({ id }) => id);

test('a walk meets every task once, in order, whatever the size of the page', async () => {
  const ids = await fill('walk', 53);
  for (const limit of [1, 7, 52, 53, 54, 200]) {
    const down = await walk(`queue=walk&limit=${limit}`);
    expect(idsOf(down)).toEqual(ids.toReversed());
    expect(down.slice(0, -1).every((page) => page.length === limit)).toBe(true);
    expect(down.length).toBe(Math.ceil(53 / limit));
    expect(idsOf(await walk(`queue=walk&limit=${limit}&order=asc`))).toEqual(ids);
  }
});

test('a page is 50 without a limit', async () => {
  await fill('fifty', 51);
  expect((await walk('queue=fifty')).map(({ length }) => length)).toEqual([50, 1]);
});

test('an empty list has no next page', async () => expect(await walk('queue=nothing')).toEqual([[]]));

test('alternatives are walked in one order', async () => {
  const ids = [...(await fill('left', 20)), ...(await fill('right', 20))].toSorted();
  expect(idsOf(await walk('queue=left,right&name=n0,n1,n2&limit=6&order=asc'))).toEqual(ids);
  expect(idsOf(await walk('queue=left,right&limit=6'))).toEqual(ids.toReversed());
});

test('a cursor stays good when its task is deleted', async () => {
  const ids = await fill('deleted', 9);
  const pages = await walk('queue=deleted&limit=3', async () => {
    const victim = ids[6]!;
    await server.api('DELETE', `/tasks/${victim}`);
  });
  // The first page ended with ids[6], its cursor.
  expect(idsOf(pages)).toEqual(ids.toReversed());
});

test('every task that was there at the start is met exactly once, while others are added and changed', async () => {
  let run = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 9 }),
      fc.constantFrom('asc', 'desc'),
      fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 8 }),
      async (count, limit, order, additions) => {
        const queue = `race-${run++}`;
        const before = await fill(queue, count);
        const writers: Promise<unknown>[] = [];
        const rounds = [...additions];
        const pages = await walk(`queue=${queue}&limit=${limit}&order=${order}`, async () => {
          const more = rounds.shift();
          // Not awaited: they are inserted while the next page is read.
          if (more) writers.push(fill(queue, more), server.api('PATCH', `/tasks/${before[0]}`, { name: `changed-${more}` }));
        });
        await Promise.all(writers);
        const met = idsOf(pages);
        expect(new Set(met).size).toBe(met.length);
        expect(met).toEqual(order === 'asc' ? met.toSorted() : met.toSorted().toReversed());
        expect(met.filter((id) => before.includes(id)).toSorted()).toEqual(before);
      },
    ),
    { numRuns: 25 },
  );
});

describe('very large tasks', () => {
  test('make shorter pages, and the walk still meets all of them', async () => {
    const big = 'x'.repeat(250_000);
    const ids: string[] = [];
    for (let round = 0; round < 8; round++) ids.push(...(await fill('large', 4, (index) => ({ parameters: index === 3 ? {} : { big } }))));
    ids.sort();
    const pages = await walk('queue=large&limit=200');
    expect(idsOf(pages)).toEqual(ids.toReversed());
    expect(pages.length).toBeGreaterThan(1);
    // 24 of 250 kB are 6 MB; a page stays near 4 MiB.
    for (const page of pages) expect(JSON.stringify(page).length).toBeLessThan(4.5 * 1024 * 1024);
    expect(idsOf(await walk('queue=large&limit=200&order=asc'))).toEqual(ids);
  });

  test('one that alone passes the limit of a page is a page of its own', async () => {
    const [id] = await fill('huge', 1);
    await fill('huge', 2);
    // No client could send so much; a handler's results could.
    await server.server.kernel.database.api.queryText(
      `UPDATE tasks SET status = 'completed', finished_at = now(), result = to_jsonb(repeat('x', 5000000)) WHERE id = $1`,
      [id],
    );
    const pages = await walk('queue=huge&order=asc');
    expect(pages.map(({ length }) => length)).toEqual([1, 2]);
  });
});
