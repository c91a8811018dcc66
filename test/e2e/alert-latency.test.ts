import { afterAll, beforeAll, expect, test } from 'vitest';
import { startHttpSink, type HttpSink } from '../support/http-sink.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { closeSockets, connectSocket } from '../support/socket-client.js';
import { until } from '../support/until.js';

let server: TestServer;
let sink: HttpSink;

beforeAll(async () => {
  sink = await startHttpSink();
  server = await startTestServer({ HTTP_ALLOW_HOSTS: '127.0.0.1' });
});
afterAll(async () => {
  closeSockets();
  await server.close();
  await sink.close();
});

const count = 100;
const p99 = (values: number[]) => values.toSorted((a, b) => a - b)[Math.ceil(values.length * 0.99) - 1]!;

test('an alert is at a webhook and at a Socket.IO client within a second', async () => {
  await server.api('POST', '/alerts/channels', { name: 'hook', kind: 'webhook', spec: { url: sink.url } });
  await server.api('POST', '/alerts/channels', { name: 'live', kind: 'socket' });
  const raised = new Map<string, number>();
  const times = { hook: [] as number[], live: [] as number[] };
  const hear = (where: keyof typeof times, alerts: { name: string }[]) => {
    for (const { name } of alerts) times[where].push(performance.now() - raised.get(name)!);
  };
  sink.answer = (response, { body }) => {
    hear('hook', (JSON.parse(body) as { alerts: { name: string }[] }).alerts);
    response.writeHead(200).end();
  };
  const socket = await connectSocket(`${server.url}/alerts`, { auth: { token: server.token } });
  socket.on('alert_notification', ({ content }: { content: { alerts: { name: string }[] } }) => hear('live', content.alerts));
  for (let index = 0; index < count; index++) {
    const name = `alert ${index}`;
    raised.set(name, performance.now());
    await server.api('POST', '/alerts', { name });
  }
  await until('all are heard', () => times.hook.length === count && times.live.length === count);
  expect(p99(times.hook)).toBeLessThan(1_000);
  expect(p99(times.live)).toBeLessThan(1_000);
});
