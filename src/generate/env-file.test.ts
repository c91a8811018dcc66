import { parseEnv } from 'node:util';
import { expect, test } from 'vitest';
import { settingDefinitions } from '../setting-definitions.js';
import { envFile } from './env-file.js';

test('a new file holds every setting with its default, and no secret', () => {
  const values = parseEnv(envFile(''));
  expect(Object.keys(values).toSorted()).toEqual(Object.keys(settingDefinitions).toSorted());
  expect(values).toMatchObject({ PORT: '8000', DATABASE_URL: '', ADMIN_TOKEN: '' });
});

test('what a person has set stays, and the file is then up to date', () => {
  const edited = envFile('').replace('\nPORT=8000\n', '\nPORT=9000\n').replace('\nADMIN_TOKEN=\n', '\nADMIN_TOKEN="x y"\n');
  expect(parseEnv(edited)).toMatchObject({ PORT: '9000', ADMIN_TOKEN: 'x y' });
  expect(envFile(edited)).toBe(edited);
});

test('a value that was the default follows a new default', () => {
  const older = envFile('').replace('# Default: 8000\nPORT=8000', '# Default: 7000\nPORT=7000');
  expect(parseEnv(older)).toMatchObject({ PORT: '7000' });
  expect(envFile(older)).toBe(envFile(''));
});

test('a file that somebody wrote by hand keeps its values', () => {
  expect(parseEnv(envFile('LOG_LEVEL=debug\nHOST=127.0.0.1\n'))).toMatchObject({ LOG_LEVEL: 'debug', HOST: '127.0.0.1' });
});
