import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { listensOnLoopback, loadSettings } from './settings.js';

let directory: string;
let envFile: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'arkitect-settings-'));
  envFile = join(directory, '.env');
});
afterEach(() => rmSync(directory, { recursive: true }));

test('without anything every setting has its default', () => {
  const { settings, warnings } = loadSettings({}, envFile);
  expect(settings).toMatchObject({ HOST: '127.0.0.1', PORT: 8000, DATA_DIR: './data', RUNNER_SLOTS: 16, CORS_ORIGINS: [] });
  expect(warnings).toEqual([]);
});

test('the environment wins over .env, and an empty value means the default', () => {
  writeFileSync(envFile, 'PORT=8001\nRUNNER_SLOTS=3\nLOG_LEVEL=\n');
  expect(loadSettings({ PORT: '8002' }, envFile).settings).toMatchObject({ PORT: 8002, RUNNER_SLOTS: 3, LOG_LEVEL: 'info' });
});

test.each([
  'redis://localhost',
  'rediss://user:p%40ss@redis.example.com:6380/2',
  'redis://[::1]:6379',
  'redis://:secret@a:1,redis://:secret@b:2',
  'redis+sentinel://:secret@a:26379,b/the-master',
])('%s is a REDIS_URL', (url) => {
  expect(loadSettings({ REDIS_URL: url }, envFile).settings.REDIS_URL).toBe(url);
});

test('settings cannot be changed afterwards', () => {
  const { settings } = loadSettings({ CORS_ORIGINS: 'https://a.example' }, envFile);
  expect(() => Object.assign(settings, { PORT: 1 })).toThrow(TypeError);
  expect(() => (settings.CORS_ORIGINS as string[]).push('x')).toThrow(TypeError);
});

describe('a bad value is refused with the key, what it got and what it accepts', () => {
  test.each([
    [{ PORT: '70000' }, 'PORT is "70000", but must be a whole number from 0 to 65535.'],
    [{ PORT: '80 80' }, 'PORT is "80 80"'],
    [{ RUNNER_SLOTS: '-1' }, 'RUNNER_SLOTS is "-1", but must be a whole number from 0 to 1000.'],
    [{ LOG_LEVEL: 'loud' }, 'LOG_LEVEL is "loud", but must be one of fatal, error, warn, info, debug, trace, silent.'],
    [{ DATABASE_URL: 'mysql://x' }, 'DATABASE_URL is not valid, but must be empty, or a postgres:// or postgresql:// URL.'],
    [{ REDIS_URL: 'localhost:6379' }, 'REDIS_URL is not valid, but must be empty, redis://host:port or rediss://host:port'],
    [{ REDIS_URL: 'redis://host:70000' }, 'REDIS_URL is not valid'],
    [{ REDIS_URL: 'redis://:100%@host' }, 'REDIS_URL is not valid'],
    [{ REDIS_URL: 'redis://:%ff@host' }, 'REDIS_URL is not valid'],
    [{ REDIS_URL: 'redis://a:1,http://b:2' }, 'REDIS_URL is not valid'],
    [{ REDIS_URL: 'redis+sentinel://a:1,b:2' }, 'REDIS_URL is not valid'],
    [{ ADMIN_TOKEN: 'short' }, 'ADMIN_TOKEN is not valid, but must be empty, or 16 to 512 printable characters without spaces.'],
    [{ CORS_ORIGINS: '*' }, 'CORS_ORIGINS is "*", but must be origins such as https://app.example.com, separated by commas.'],
  ])('%j', (environment, message) => {
    expect(() => loadSettings(environment, envFile)).toThrow(message);
  });

  test('all of them at once', () => {
    expect(() => loadSettings({ PORT: 'x', LOG_LEVEL: 'y' }, envFile)).toThrow(/PORT is "x"[^]*LOG_LEVEL is "y"/);
  });

  test('never with the value of a secret', () => {
    expect(() => loadSettings({ ADMIN_TOKEN: 'hush hush hush hush' }, envFile)).toThrow(/^(?![^]*hush)/);
  });
});

test('an unknown key is a warning with the nearest known name; what is not ours is left alone', () => {
  writeFileSync(envFile, 'PROT=8001\n');
  expect(loadSettings({ RUNNER_SLOT: '3', HTTP_PROXY: 'x', PATH: 'y' }, envFile).warnings).toEqual([
    'PROT is not a setting and has no effect; the nearest known name is PORT.',
    'RUNNER_SLOT is not a setting and has no effect; the nearest known name is RUNNER_SLOTS.',
  ]);
});

test('only loopback addresses count as loopback', () => {
  expect(['127.0.0.1', '127.9.9.9', '::1', 'localhost'].filter((host) => !listensOnLoopback(host))).toEqual([]);
  expect(['0.0.0.0', '::', '10.0.0.1', '127.evil.example', 'example.com'].filter(listensOnLoopback)).toEqual([]);
});
