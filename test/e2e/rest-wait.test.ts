import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectInvalid, expectProblem } from '../support/problem.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { until } from '../support/until.js';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

const create = (query: string, fields: object = {}, headers = {}) =>
  server.api('POST', `/tasks${query}`, { name: 'a', ...fields }, headers);
const hour = { type: 'sleep', parameters: { seconds: 3_600 } };
const cancel = (id: string) => server.api('POST', `/tasks/${id}/cancel`);

describe('create with wait', () => {
  test('answers 201 with the finished task', async () => {
    const answer = await create('?wait=60', { start: 'auto', parameters: { a: 1 } });
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({ status: 'completed', result: { a: 1 } });
    expect(answer.headers.get('location')).toBe(`/tasks/${answer.body.id}`);
    expect(answer.headers.get('etag')).toBe(`"${answer.body.version}"`);
  });

  test('answers a failure as the task it is, not as an error', async () => {
    const answer = await create('?wait=60', { start: 'auto', type: 'sleep', parameters: { seconds: 0, fail: true } });
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({
      status: 'failed',
      result: null,
      error: { code: 'SLEEP_FAILED', message: expect.any(String), retryable: true, attempt: 1 },
    });
  });

  test('answers 202 with the task as it is when the time is over', async () => {
    const begun = performance.now();
    const answer = await create('?wait=1', { start: 'auto', ...hour });
    expect(performance.now() - begun).toBeGreaterThan(990);
    expect(answer.status).toBe(202);
    expect(['queued', 'running']).toContain(answer.body.status);
    expect(answer.headers.get('location')).toBe(`/tasks/${answer.body.id}`);
    await cancel(answer.body.id);
  });

  test('of zero seconds is a look, not a wait', async () => {
    const answer = await create('?wait=0', { start: 'auto', ...hour });
    expect(answer.status).toBe(202);
    await cancel(answer.body.id);
  });

  test('is refused without start: auto, as it would wait for nothing, and creates nothing', async () => {
    for (const fields of [{}, { start: 'manual' }, { run_at: null }]) {
      const answer = await create('?wait=1', { ...fields, labels: { refused: 'yes' } });
      expectInvalid(answer, 'wait');
      expect(answer.body.detail).toContain('start: "auto"');
    }
    expect((await server.api('GET', '/tasks?label=refused=yes')).body.items).toEqual([]);
  });

  test('takes a run_at for auto', async () => {
    expect((await create('?wait=60', { run_at: '2001-01-01T00:00:00Z' })).body.status).toBe('completed');
  });

  test('ends when somebody cancels or deletes the task', async () => {
    for (const end of ['cancel', 'delete']) {
      const label = { waited: end };
      const waiting = create('?wait=60', { start: 'auto', run_at: '2999-01-01T00:00:00Z', labels: label });
      const found = await until('the task is there', async () => (await server.api('GET', `/tasks?label=waited=${end}`)).body.items[0]);
      if (end === 'cancel') {
        await cancel(found.id);
        expect((await waiting).body.status).toBe('cancelled');
      } else {
        await server.api('DELETE', `/tasks/${found.id}`);
        expectProblem(await waiting, 'NOT_FOUND');
      }
    }
  });

  test('also waits when an Idempotency-Key finds the first task', async () => {
    const headers = { 'idempotency-key': 'waited-for' };
    const first = await create('', { start: 'auto' }, headers);
    const second = await create('?wait=60', { start: 'auto' }, headers);
    expect(second.headers.get('idempotency-replayed')).toBe('true');
    expect(second).toMatchObject({ status: 201, body: { id: first.body.id, status: 'completed' } });
  });
});

describe('execute with wait', () => {
  test('answers 200 with the finished task, or 202 after the time', async () => {
    const quick = await create('', { parameters: { a: 1 } });
    expect(await server.api('POST', `/tasks/${quick.body.id}/execute?wait=60`)).toMatchObject({
      status: 200,
      body: { status: 'completed', result: { a: 1 } },
    });
    const slow = await create('', hour);
    expect((await server.api('POST', `/tasks/${slow.body.id}/execute?wait=0`)).status).toBe(202);
    await cancel(slow.body.id);
  });

  test('of a task that cannot be executed is 409 at once', async () => {
    const { body } = await create('?wait=60', { start: 'auto' });
    expectProblem(await server.api('POST', `/tasks/${body.id}/execute?wait=60`), 'CONFLICT');
  });
});

test('fifty callers wait for fifty tasks at the same time', async () => {
  const answers = await Promise.all(Array.from({ length: 50 }, (_, index) => create('?wait=60', { start: 'auto', parameters: { index } })));
  expect(answers.map(({ body }) => body.result.index)).toEqual(Array.from({ length: 50 }, (_, index) => index));
});

test.each(['61', '-1', '1.5', 'x', '', ' ', '1e1', '0x1', 'NaN', 'Infinity', '99999999999999999999', '1&wait=2', '%00'])(
  'wait=%s is refused by name',
  async (wait) => {
    expectInvalid(await create(`?wait=${wait}`, { start: 'auto' }), 'wait');
    const { body } = await create('');
    expectInvalid(await server.api('POST', `/tasks/${body.id}/execute?wait=${wait}`), 'wait');
    expect((await server.api('GET', `/tasks/${body.id}`)).body.status).toBe('pending');
  },
);

test('a query parameter that does not exist is refused by name', async () => {
  expectInvalid(await create('?wat=1', { start: 'auto' }), 'wat');
  const { body } = await create('');
  expectInvalid(await server.api('POST', `/tasks/${body.id}/execute?waits=1`), 'waits');
});
