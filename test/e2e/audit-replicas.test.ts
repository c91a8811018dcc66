import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { until } from '../support/until.js';

let database: TestDatabase;
let servers: TestServer[];
const start = () => startTestServer({ RUNNER_SLOTS: '0' }, database.url);
beforeAll(async () => {
  database = await createDatabase();
  servers = await Promise.all([start(), start()]);
});
afterAll(async () => {
  await Promise.all(servers.map((server) => server.close()));
  await database.drop();
});

test('what two replicas record at once is one chain, and every answer finds its record on either of them', async () => {
  const [a, b] = servers as [TestServer, TestServer];
  const made = await Promise.all(Array.from({ length: 40 }, () => a.api('POST', '/tasks', { name: 'a' })));
  const changed = await Promise.all(
    made.map(async ({ body }, index) => {
      const [one, other] = index % 2 === 0 ? [a, b] : [b, a];
      await one.api('PATCH', `/tasks/${body.id}`, { name: 'b' });
      return (await other.api('GET', `/admin/audit?target=${body.id}`)).body.items.length as number;
    }),
  );
  expect(changed).toEqual(made.map(() => 1));
  expect((await b.api('GET', '/admin/audit/verify')).body).toMatchObject({ valid: true, checked: 40 });
});

test('a caller that leaves before its answer is recorded with its address', async () => {
  const [a] = servers as [TestServer];
  const { hostname, port } = new URL(a.url);
  const { body: task } = await a.api('POST', '/tasks', { name: 'a' });
  const head = `DELETE /tasks/${task.id} HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: Bearer ${a.token}\r\n\r\n`;
  const socket = connect(Number(port), hostname, () => socket.write(head, () => socket.resetAndDestroy()));
  const found = await until('the record', async () => (await a.api('GET', `/admin/audit?target=${task.id}`)).body.items[0]);
  expect(found).toMatchObject({ operation: 'tasks.delete', outcome: 'ok', address: '127.0.0.1' });
});

test('a broken chain is an alert', async () => {
  const { api } = servers[0]!.server.kernel.database;
  await api.transaction(async (owner) => {
    await owner.queryText('ALTER TABLE audit_log DISABLE TRIGGER USER');
    await owner.queryText("UPDATE audit_log SET principal = 'somebody' WHERE seq = 7");
    await owner.queryText('ALTER TABLE audit_log ENABLE TRIGGER USER');
  });
  // Whoever leads looks when it begins, and once an hour.
  await Promise.all(servers.splice(0).map((server) => server.close()));
  servers.push(await start());
  const alert = await until('the alert', async () =>
    (await servers[0]!.api('GET', '/alerts')).body.items.find(({ name }: { name: string }) => name === 'AuditLogBroken'),
  );
  expect(alert).toMatchObject({ severity: 'critical', source: 'audit' });
  expect(alert.annotations.summary).toContain('Record 7 does not say what it was hashed with');
});
