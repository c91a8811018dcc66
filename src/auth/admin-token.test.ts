import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadSettings, SettingsError } from '../settings.js';
import { resolveAdminToken } from './admin-token.js';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'admin-token-'));
});

afterEach(() => rm(directory, { recursive: true }));

function resolve(environment: NodeJS.ProcessEnv = {}) {
  return resolveAdminToken(loadSettings({ DATA_DIR: join(directory, 'data'), ...environment }, '/nonexistent').settings);
}

test('ADMIN_TOKEN goes before its file, and nothing is written', async () => {
  expect(await resolve({ ADMIN_TOKEN: 'the-token-of-the-environment', ADMIN_TOKEN_FILE: '/nonexistent' })).toEqual({
    token: 'the-token-of-the-environment',
    generated: false,
  });
  expect(await readdir(directory)).toEqual([]);
});

test('the token of ADMIN_TOKEN_FILE is trimmed', async () => {
  const file = join(directory, 'secret');
  await writeFile(file, '\n the-token-of-the-file \r\n');
  expect(await resolve({ ADMIN_TOKEN_FILE: file })).toEqual({ token: 'the-token-of-the-file', file, generated: false });
});

test.each(['', 'short', 'two words are not one token', 'x'.repeat(513)])(
  'a file that holds "%s" is refused without showing it',
  async (content) => {
    const file = join(directory, 'secret');
    await writeFile(file, content);
    const error: unknown = await resolve({ ADMIN_TOKEN_FILE: file }).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(SettingsError);
    expect((error as Error).message).toContain(file);
    if (content) expect((error as Error).message).not.toContain(content);
  },
);

test('a missing ADMIN_TOKEN_FILE is an error and not a generated token', async () => {
  await expect(resolve({ ADMIN_TOKEN_FILE: join(directory, 'missing') })).rejects.toThrow(SettingsError);
  expect(await readdir(directory)).toEqual([]);
});

test('the first start generates a private token and the next one finds it', async () => {
  const first = await resolve();
  expect(first).toMatchObject({ generated: true, file: join(directory, 'data', 'admin-token') });
  expect(first.token).toMatch(/^[\w-]{43}$/);
  expect((await stat(first.file ?? '')).mode & 0o777).toBe(0o600);
  expect(await resolve()).toEqual({ token: first.token, file: first.file, generated: false, isOwnFile: true, warning: undefined });
});

test('processes that start at the same time agree on one token and leave no drafts', async () => {
  const resolved = await Promise.all(Array.from({ length: 20 }, () => resolve()));
  expect(new Set(resolved.map(({ token }) => token)).size).toBe(1);
  expect(resolved.filter(({ generated }) => generated)).toHaveLength(1);
  expect(await readdir(join(directory, 'data'))).toEqual(['admin-token']);
});

test('a token file that others can read is made private with a warning', async () => {
  const { file = '' } = await resolve();
  await chmod(file, 0o644);
  expect((await resolve()).warning).toContain(file);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect((await resolve()).warning).toBeUndefined();
});

test('an emptied token file is refused, as a new token would lock out those who know the old one', async () => {
  const { file = '' } = await resolve();
  await writeFile(file, '');
  await expect(resolve()).rejects.toThrow(SettingsError);
  expect(await readFile(file, 'utf8')).toBe('');
});

test('a DATA_DIR that cannot be written is reported with what to do', async () => {
  await writeFile(join(directory, 'data'), 'a file where the directory should be');
  await expect(resolve()).rejects.toThrow(/Make DATA_DIR writable, or set ADMIN_TOKEN/);
});
