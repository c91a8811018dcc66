import { Global, Module } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { AuthGuard } from '../auth/auth.guard.js';
import { AuthModule } from '../auth/auth.module.js';
import { loadSettings, SETTINGS } from '../settings.js';
import { ErrorFilter } from '../transport/error.filter.js';
import { fastifyOptions, installFastify } from '../transport/fastify.js';
import { judgeLag } from './event-loop.probe.js';
import { HEALTH_PROBES, type HealthProbe, type ProbeResult } from './health-probe.js';
import { HealthModule } from './health.module.js';
import { Lifecycle } from './lifecycle.js';

let check: () => Promise<ProbeResult>;
let checks: number;
const probe: HealthProbe = {
  name: 'database',
  check: () => {
    checks++;
    return check();
  },
};

const { settings } = loadSettings({ AUTH_ANONYMOUS_ROLE: 'none', ADMIN_TOKEN: 'a-root-token-for-tests' }, '/nonexistent');

@Global()
@Module({
  imports: [AuthModule, HealthModule],
  providers: [
    Lifecycle,
    { provide: HEALTH_PROBES, useValue: [probe] },
    { provide: SETTINGS, useValue: settings },
    { provide: APP_GUARD, useClass: AuthGuard },
    { provide: APP_FILTER, useClass: ErrorFilter },
  ],
  exports: [Lifecycle, HEALTH_PROBES, SETTINGS],
})
class TestModule {}

let app: NestFastifyApplication;
let url: string;

beforeAll(async () => {
  const adapter = new FastifyAdapter(fastifyOptions());
  installFastify(adapter.getInstance());
  app = await NestFactory.create<NestFastifyApplication>(TestModule, adapter, { bodyParser: false, logger: false });
  await app.listen(0, '127.0.0.1');
  url = await app.getUrl();
});

afterAll(() => app.close());

beforeEach(() => {
  app.get(Lifecycle).state = 'ready';
  check = async () => ({ status: 'up' });
  checks = 0;
});

const ask = (path: string) => fetch(`${url}/health/${path}`, { headers: { authorization: 'Bearer of a token that is long gone' } });

test('a ready server says so to anybody, whatever token the probe sends', async () => {
  const response = await ask('ready');
  expect(response.status).toBe(200);
  expect(response.headers.get('cache-control')).toBe('no-store');
  expect(await response.json()).toMatchObject({
    status: expect.stringMatching(/^(ok|degraded)$/),
    details: {
      lifecycle: { status: 'up', state: 'ready' },
      database: { status: 'up' },
      event_loop: { message: expect.stringContaining('ms') },
    },
  });
});

test('a degraded dependency keeps the server ready and is named', async () => {
  check = async () => ({ status: 'degraded', detail: 'The replica lags.' });
  const response = await ask('ready');
  expect(response.status).toBe(200);
  const report = (await response.json()) as { degraded: string[] };
  expect(report).toMatchObject({ status: 'degraded', details: { database: { status: 'degraded', message: 'The replica lags.' } } });
  expect(report.degraded).toContain('database');
});

test('a dependency that is down makes a 503 problem with the details', async () => {
  check = async () => ({ status: 'down', detail: 'No connection.' });
  const response = await ask('ready');
  expect(response.status).toBe(503);
  expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  expect(response.headers.get('retry-after')).toBe('1');
  expect(await response.json()).toMatchObject({
    code: 'UNAVAILABLE',
    status: 503,
    detail: expect.stringContaining('database'),
    request_id: response.headers.get('x-request-id'),
    details: { database: { status: 'down', message: 'No connection.' }, lifecycle: { status: 'up' } },
  });
});

test('a check that fails does not show its error', async () => {
  check = () => Promise.reject(new Error('password authentication failed for user "secret"'));
  const response = await ask('ready');
  expect(response.status).toBe(503);
  expect(await response.text()).not.toContain('secret');
});

test('a check that does not answer counts as down after two seconds', async () => {
  check = () => new Promise(() => {});
  const begun = performance.now();
  const response = await ask('ready');
  expect(performance.now() - begun).toBeGreaterThan(1_900);
  expect(await response.json()).toMatchObject({ status: 503, details: { database: { message: 'No answer within 2 s.' } } });
}, 20_000);

test('probes that ask at the same time share one check', async () => {
  const release = Promise.withResolvers<ProbeResult>();
  const asked = Promise.withResolvers<void>();
  check = () => {
    asked.resolve();
    return release.promise;
  };
  const responses = Array.from({ length: 5 }, () => ask('ready'));
  await asked.promise;
  // The other four have arrived once a later request on the same server was answered.
  await Promise.all(Array.from({ length: 5 }, () => ask('live')));
  release.resolve({ status: 'up' });
  expect((await Promise.all(responses)).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
  expect(checks).toBe(1);
});

test('a server that starts or stops is alive, not ready, and started only after the start', async () => {
  const lifecycle = app.get(Lifecycle);
  const statuses = async () => (await Promise.all(['live', 'ready', 'startup'].map(ask))).map(({ status }) => status);
  lifecycle.state = 'starting';
  expect(await statuses()).toEqual([200, 503, 503]);
  lifecycle.state = 'ready';
  expect(await statuses()).toEqual([200, 200, 200]);
  lifecycle.state = 'stopping';
  expect(await statuses()).toEqual([200, 503, 200]);
});

test('the event loop is degraded above 200 ms and down above 2 s', () => {
  expect([0, 200, 201, 2_000, 2_001].map((lag) => judgeLag(lag).status)).toEqual(['up', 'up', 'degraded', 'degraded', 'down']);
});
