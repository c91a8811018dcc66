import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../support/server.js';
import { until } from '../support/until.js';

let directory: string;
let envFile: string;
let server: TestServer;
const lines: string[] = [];
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'arkitect-config-'));
  envFile = join(directory, '.env');
  writeFileSync(envFile, 'TASKS_RETENTION_DAYS=20\nALERTS_RETENTION_DAYS=20\n');
  const log = { write: (line: string) => void lines.push(line) };
  server = await startTestServer({ LOG_LEVEL: 'info', ALERTS_RETENTION_DAYS: '30' }, undefined, { envFile, log });
});
afterAll(async () => {
  await server.close();
  rmSync(directory, { recursive: true });
});

const settingOf = async (key: string) =>
  (await server.api('GET', '/config')).body.settings.find((setting: { key: string }) => setting.key === key);
const probe = async () => (await server.api('GET', '/health/ready')).body.details.config as { status: string; message?: string };

test('.env is a source, below the environment', async () => {
  expect(await settingOf('TASKS_RETENTION_DAYS')).toMatchObject({ value: 20, source: '.env', hides: [{ source: 'default', value: 30 }] });
  expect(await settingOf('ALERTS_RETENTION_DAYS')).toMatchObject({
    value: 30,
    source: 'environment',
    hides: [
      { source: '.env', value: 20 },
      { source: 'default', value: 90 },
    ],
  });
});

test('an edit is taken while the server runs, also one that replaces the file; what needs a restart is said', async () => {
  writeFileSync(envFile, 'TASKS_RETENTION_DAYS=21\nPORT=4711\n');
  await until('the edit to hold', async () => (await settingOf('TASKS_RETENTION_DAYS')).value === 21);
  expect(await settingOf('PORT')).toMatchObject({ source: 'environment', value: 0 });
  expect(server.server.kernel.settings.TASKS_RETENTION_DAYS).toBe(21);
  const other = join(directory, 'other');
  writeFileSync(other, 'TASKS_RETENTION_DAYS=22\nENGINE_LEASE_SECONDS=33\n');
  renameSync(other, envFile);
  await until('the edit to hold', async () => (await settingOf('TASKS_RETENTION_DAYS')).value === 22);
  expect(await settingOf('ENGINE_LEASE_SECONDS')).toMatchObject({ value: 33, running_value: 30, restart_needed: true });
  await until('a line of it', () => lines.some((line) => line.includes('what needs a restart: ENGINE_LEASE_SECONDS')));
});

test('a broken edit keeps the old values, and says so in the log, as degraded and by an alert; a good one ends that', async () => {
  expect(await probe()).toMatchObject({ status: 'up' });
  writeFileSync(envFile, 'TASKS_RETENTION_DAYS=never\nADMIN_TOKEN=short-canary\n');
  const broken = await until('the edit to be noticed', async () => {
    const { status, message } = await probe();
    return status === 'degraded' && message;
  });
  expect(broken).toContain('TASKS_RETENTION_DAYS');
  expect(await settingOf('TASKS_RETENTION_DAYS')).toMatchObject({ value: 22, source: '.env' });
  expect((await server.api('GET', '/health/ready')).status).toBe(200);
  const line = lines.find((candidate) => candidate.includes('is not taken'));
  expect(line).toContain('must be a whole number from 0 to 3650');
  const alert = await until('the alert', async () => {
    const { items } = (await server.api('GET', '/alerts?name=ConfigFileBroken')).body as { items: { status: string }[] };
    return items[0];
  });
  expect(alert).toMatchObject({ status: 'open', severity: 'warning' });
  // The environment has a token, which wins; but that of the file would not be one.
  expect(JSON.stringify([lines, broken, alert])).not.toContain('short-canary');
  writeFileSync(envFile, 'TASKS_RETENTION_DAYS=23\n');
  await until('the edit to hold', async () => (await settingOf('TASKS_RETENTION_DAYS')).value === 23);
  expect(await probe()).toMatchObject({ status: 'up' });
});

test('an override wins over the file', async () => {
  await server.api('POST', '/config', { changes: { TASKS_RETENTION_DAYS: 5 } });
  writeFileSync(envFile, 'TASKS_RETENTION_DAYS=24\n');
  await until('the edit to be read', async () => (await settingOf('TASKS_RETENTION_DAYS')).hides[0].value === 24);
  expect(await settingOf('TASKS_RETENTION_DAYS')).toMatchObject({ value: 5, source: 'override' });
});
