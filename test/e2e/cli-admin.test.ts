import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { cliFor, type Cli } from '../support/cli.js';
import { buildServer } from '../support/server-process.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { until } from '../support/until.js';

let server: TestServer;
let cli: Cli;
let directory: string;
beforeAll(async () => {
  buildServer();
  server = await startTestServer({ LOG_LEVEL: 'info' });
  directory = mkdtempSync(join(tmpdir(), 'arkitect-cli-admin-'));
  cli = cliFor({ ARKITECT_URL: server.url, ARKITECT_TOKEN: server.token }, directory);
});
afterAll(async () => {
  await server.close();
  rmSync(directory, { recursive: true, force: true });
});

test('the system and its health, for people and for programs', async () => {
  const { code, stdout } = await cli('admin', 'system');
  expect(code).toBe(0);
  expect(stdout).toContain(server.server.kernel.replicaId);
  expect(await cli.json('admin', 'system')).toMatchObject({ replica_id: server.server.kernel.replicaId, replicas: [{ role: 'leader' }] });
  const health = await cli('admin', 'health');
  expect(health.code).toBe(0);
  expect(health.stdout).toMatch(/^ +database +up/m);
});

test('tasks are purged with the token of a dry run', async () => {
  for (const name of ['one', 'two']) await cli.json('tasks', 'create', name, '--start', 'auto', '--wait', '30');
  const args = ['admin', 'run', 'purge_tasks', '--param', 'status=["completed"]'];
  expect(await cli(...args)).toMatchObject({ code: 1, stderr: expect.stringContaining('confirm: must be the token that a dry run') });
  const preview = await cli(...args, '--dry-run');
  expect(preview.code).toBe(0);
  const token = /--confirm (\S+) instead/.exec(preview.stderr)![1]!;
  expect((await cli.json('tasks', 'list')).items).toHaveLength(2);
  const run = await cli.json(...args, '--confirm', token, '--wait', '60');
  expect(run).toMatchObject({ status: 'completed', result: { deleted: 2 } });
  expect((await cli.json('tasks', 'list')).items).toEqual([]);
  expect((await cli.json('admin', 'runs', '--action', 'purge_tasks')).items.map(({ id }: { id: string }) => id)).toContain(run.id);
});

test('what an action leaves is a file that only its owner can read', async () => {
  expect((await cli('admin', 'actions')).stdout).toMatch(/^rotate_admin_token +disruptive +overlap_seconds/m);
  expect((await cli('admin', 'actions', 'cpu_profile')).stdout).toContain('seconds');
  const { code, stderr } = await cli('admin', 'run', 'diagnostics', '--file', 'bundle.json.gz');
  expect([code, stderr]).toEqual([0, expect.stringContaining('bundle.json.gz is written.')]);
  const file = join(directory, 'bundle.json.gz');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const bundle = gunzipSync(readFileSync(file)).toString();
  expect(JSON.parse(bundle)).toMatchObject({ missing: [], system: { replica_id: server.server.kernel.replicaId } });
  expect(bundle).not.toContain(server.token);
});

test('the audit log is listed, verified and exported, and tells of the commands before', async () => {
  const { id } = await cli.json('tasks', 'create', 'audited');
  await cli('tasks', 'delete', id);
  const { items } = await cli.json('admin', 'audit', '--operation', 'tasks.delete');
  expect(items).toMatchObject([{ principal: 'root', door: 'rest', outcome: 'ok', target: id, before: { name: 'audited' } }]);
  const verified = await cli.json('admin', 'audit', 'verify');
  expect(verified.valid).toBe(true);
  expect(await cli('admin', 'audit', 'verify', '--head', verified.head)).toMatchObject({ code: 0 });
  expect(await cli('admin', 'audit', 'verify', '--head', `1:${'0'.repeat(64)}`)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('AUDIT_NOT_VALID'),
  });
  expect((await cli('admin', 'audit', 'export', '--file', 'audit.ndjson')).code).toBe(0);
  const records = readFileSync(join(directory, 'audit.ndjson'), 'utf8').trim().split('\n');
  expect(records.map((line) => (JSON.parse(line) as { operation: string }).operation)).toContain('admin.act');
});

test('logs are listed and followed', async () => {
  const { logger } = server.server.kernel;
  logger.warn({ request_id: 'of-the-cli' }, 'The first line');
  await until('the first line', async () => (await cli('logs', '--request-id', 'of-the-cli')).stdout.includes('WARN'));
  const following = cli.start('logs', '-f', '--text', 'line');
  onTestFinished(() => void following.child.kill('SIGKILL'));
  await until('what was before', () => following.stdout().includes('The first line'));
  logger.error('The second line');
  await until('what comes', () => /ERROR \S+ {2}The second line/.test(following.stdout()));
  expect(following.stdout().match(/The first line/g)).toHaveLength(1);
});

test('who is no admin is told so', async () => {
  const anonymous = cliFor({ ARKITECT_URL: server.url, ARKITECT_TOKEN: '' }, directory);
  expect(await anonymous('admin', 'system')).toMatchObject({ code: 1, stderr: expect.stringContaining('FORBIDDEN') });
  expect(await anonymous('admin', 'run', 'pause_all')).toMatchObject({ code: 1, stderr: expect.stringContaining('admin.act') });
});
