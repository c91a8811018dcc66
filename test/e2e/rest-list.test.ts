import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HandWorker } from '../support/hand-worker.js';
import { expectInvalid } from '../support/problem.js';
import { startTestServer, type TestServer } from '../support/server.js';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ RUNNER_SLOTS: '0' });
  await makeTasks();
});
afterAll(() => server.close());

/** Name → what it is created with. The names say what a test expects to find. */
const tasks: Record<string, object> = {
  plain: {},
  queued: { start: 'auto', queue: 'mail', priority: 'high' },
  scheduled: { run_at: '2999-01-01T00:00:00Z', queue: 'reports', labels: { team: 'a', env: 'prod' } },
  running: { start: 'auto', priority: 'critical', labels: { team: 'b', env: 'prod' } },
  cancelling: { start: 'auto', type: 'sleep', parameters: { seconds: 1 } },
  completed: { start: 'auto', queue: 'reports', labels: { team: 'a', env: 'test' } },
  failed: { start: 'auto', type: 'sleep', parameters: { seconds: 1 }, priority: 'low' },
  cancelled: { type: 'http.request', parameters: { url: 'https://example.com' }, labels: { team: 'a' } },
  'Café 100%_\\': { labels: { odd: 'a=b', empty: '', constructor: 'x' } },
};
const names = Object.keys(tasks);
const createdAt: Record<string, string> = {};

async function makeTasks(): Promise<void> {
  const worker = new HandWorker(server);
  const ids: Record<string, string> = {};
  for (const [name, fields] of Object.entries(tasks)) {
    if (name === 'queued') continue;
    const { body } = await server.api('POST', '/tasks', { name, ...fields });
    ids[name] = body.id;
    createdAt[name] = body.created_at;
    // Ids of one millisecond are in no order that a test could rely on.
    while (Date.now() <= Date.parse(body.created_at)) await new Promise(setImmediate);
    if (['running', 'cancelling', 'completed', 'failed'].includes(name)) {
      const attempt = await worker.claim(body.id);
      if (name === 'completed') await worker.complete(attempt);
      if (name === 'failed') await worker.fail(attempt);
    }
  }
  await server.api('POST', `/tasks/${ids.cancelling}/cancel`);
  await server.api('POST', `/tasks/${ids.cancelled}/cancel`);
  const { body } = await server.api('POST', '/tasks', { name: 'queued', ...tasks.queued });
  createdAt.queued = body.created_at;
}

async function list(query: string): Promise<string[]> {
  const { status, body } = await server.api('GET', `/tasks?${query}`);
  expect(status, JSON.stringify(body)).toBe(200);
  return body.items.map((task: { name: string }) => task.name);
}

const found = async (query: string) => (await list(query)).toSorted();

test('without filters everything comes, newest first, each as GET of it answers', async () => {
  const { status, body } = await server.api('GET', '/tasks');
  expect(status).toBe(200);
  expect(Object.keys(body)).toEqual(['items', 'next_cursor']);
  expect(body.next_cursor).toBeNull();
  const newestFirst = [...names.filter((name) => name !== 'queued'), 'queued'].toReversed();
  expect(body.items.map((task: { name: string }) => task.name)).toEqual(newestFirst);
  for (const task of body.items) expect((await server.api('GET', `/tasks/${task.id}`)).body).toEqual(task);
});

test('order=asc turns it round', async () => {
  expect(await list('order=asc')).toEqual((await list('order=desc')).toReversed());
});

describe('filters', () => {
  test.each([
    ['status=pending', ['Café 100%_\\', 'plain']],
    ...['scheduled', 'queued', 'running', 'cancelling', 'completed', 'failed', 'cancelled'].map(
      (status) => [`status=${status}`, [status]] as [string, string[]],
    ),
    ['status=blocked', []],
    ['status=queued,running', ['queued', 'running']],
    ['status=queued&status=running,failed', ['failed', 'queued', 'running']],
    ['status=queued,queued', ['queued']],
    ['status=%20queued%20,running', ['queued', 'running']],
    ['type=sleep', ['cancelling', 'failed']],
    ['type=sleep,http.request', ['cancelled', 'cancelling', 'failed']],
    ['type=no.such', []],
    ['queue=reports', ['completed', 'scheduled']],
    ['queue=reports,mail', ['completed', 'queued', 'scheduled']],
    ['priority=critical', ['running']],
    ['priority=low,high', ['failed', 'queued']],
    ['name=plain', ['plain']],
    ['name=plain,failed', ['failed', 'plain']],
    ['name=Plain', []],
    ['name=plai', []],
    ['name=Caf%C3%A9%20100%25_%5C', ['Café 100%_\\']],
    ['name=Cafe%CC%81%20100%25_%5C', ['Café 100%_\\']],
    ['name=%25', []],
    ['label=team=a', ['cancelled', 'completed', 'scheduled']],
    ['label=team=a&label=env=prod', ['scheduled']],
    ['label=team=a,env=prod', ['cancelled', 'completed', 'running', 'scheduled']],
    ['label=team=a,team=b&label=env=prod', ['running', 'scheduled']],
    ['label=team=a&label=team=b', []],
    ['label=odd=a=b', ['Café 100%_\\']],
    ['label=empty=', ['Café 100%_\\']],
    ['label=constructor=x', ['Café 100%_\\']],
    ['label=team=', []],
    ['label=toString=x', []],
  ] as [string, string[]][])('%s finds %j', async (query, expected) => expect(await found(query)).toEqual(expected));

  test('of several kinds must all hold', async () => {
    expect(await found('queue=reports&status=completed')).toEqual(['completed']);
    expect(await found('queue=reports,mail&status=completed,queued&priority=medium')).toEqual(['completed']);
    expect(await found('type=echo&label=env=prod&priority=critical')).toEqual(['running']);
    expect(await found('type=echo&name=failed')).toEqual([]);
  });

  test('with so many alternatives that they do not fit one query each still find everything', async () => {
    const statuses = 'pending,scheduled,blocked,queued,running,cancelling,completed,failed,cancelled';
    const query = `status=${statuses}&priority=low,medium,high,critical&type=echo,sleep,http.request&queue=default,mail,reports&name=${encodeURIComponent(names.join(','))}`;
    expect(await list(query)).toEqual(await list(''));
    expect(await list(`${query}&order=asc&limit=4`)).toEqual((await list('order=asc')).slice(0, 4));
  });

  test('by time: from created_after on, up to but not including created_before', async () => {
    const [from, to] = [createdAt.scheduled!, createdAt.failed!];
    expect(await found(`created_after=${from}`)).toEqual(names.filter((name) => createdAt[name]! >= from).toSorted());
    expect(await found(`created_before=${to}`)).toEqual(names.filter((name) => createdAt[name]! < to).toSorted());
    const between = await found(`created_after=${from}&created_before=${to}`);
    expect(between).toEqual(['cancelling', 'completed', 'running', 'scheduled']);
    expect(await found(`created_after=${to}&created_before=${from}`)).toEqual([]);
    expect(await found(`created_after=1970-01-01T00:00:00Z&created_before=9999-12-31T23:59:59Z`)).toEqual(names.toSorted());
    expect(await found(`created_after=${encodeURIComponent('2000-01-01T00:00:00+05:30')}`)).toEqual(names.toSorted());
  });
});

describe('what is wrong with a query is named', () => {
  test.each([
    ['status', ['', 'done', 'QUEUED', 'queued,', ',', 'queued,done', '%00', 'toString']],
    ['type', ['', 'Echo', 'a b', '%00', 'x'.repeat(101), Array.from({ length: 21 }, (_, index) => `t${index}`).join(',')]],
    ['queue', ['', 'Mail', 'a%0Ab', '%F0%9F%98%80']],
    ['priority', ['', 'urgent', '1']],
    ['name', ['', 'a,,b', 'a%00', 'a%1B', 'x'.repeat(256)]],
    ['label', ['', 'team', '=a', 'a%20b=c', 'a=%00', 'team=a,team', `k=${'x'.repeat(256)}`]],
    ['created_after', ['', 'yesterday', '2026-01-01', '1700000000', '2026-01-01T00:00:00', 'a&created_after=b']],
    ['created_before', ['', 'null', '2026-02-30T00:00:00Z']],
    ['order', ['', 'newest', 'DESC', 'asc&order=desc', 'id;drop table tasks']],
    ['limit', ['', '0', '-1', '201', '1.5', 'x', '1e2', ' 5', '5&limit=6', '99999999999999999999']],
    ['cursor', ['', 'x', '1', 'null', '0198f3c2', '%00', `{0198f3c2-7d1e-7a55-9b5e-3f0c8a1d2e4b}`, '0198F3C2-7D1E-7A55-9B5E-3F0C8A1D2E4B']],
  ])('%s', async (field, values) => {
    for (const value of values) expectInvalid(await server.api('GET', `/tasks?${field}=${value}`), field);
  });

  test.each(['page', 'offset', 'sort', 'Status', 'tenant_id', 'id', 'status[]', 'toString', 'constructor', '__proto__', 'depends_on'])(
    '%s is not known',
    async (field) => {
      expectInvalid(await server.api('GET', `/tasks?${field}=1`), field);
    },
  );

  test('all of it at once', async () => {
    expectInvalid(await server.api('GET', '/tasks?status=x&limit=0&page=2&cursor=y'), 'status', 'limit', 'page', 'cursor');
  });
});
