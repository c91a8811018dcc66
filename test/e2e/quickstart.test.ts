import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../support/server.js';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

test('a task that starts by itself is run, and its result comes with the answer', async () => {
  const answer = await server.api('POST', '/tasks?wait=30', { name: 'hello', type: 'echo', parameters: { hello: 'world' }, start: 'auto' });
  expect(answer.status).toBe(201);
  expect(answer.body).toMatchObject({ status: 'completed', result: { hello: 'world' }, attempt: 1, progress: 100 });
});

test('the two-step flow: create leaves a task pending, execute runs it', async () => {
  const created = await server.api('POST', '/tasks', { name: 'hello' });
  expect(created.body).toMatchObject({
    status: 'pending',
    type: 'echo',
    queue: 'default',
    priority: 'medium',
    max_attempts: 1,
    timeout_seconds: 300,
  });
  const executed = await server.api('POST', `/tasks/${created.body.id}/execute?wait=30`);
  expect(executed.body).toMatchObject({ status: 'completed', id: created.body.id });
});
