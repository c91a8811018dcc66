import { expect, test } from 'vitest';
import { generatedFiles, staleness } from '../../src/generate/generated-files.js';
import { createDatabase } from '../support/database.js';
import { testSettings } from '../support/server.js';

test('.env, docs/access.md, docs/settings.md, openapi.json and schema.sql say what the code and its migrations say', async () => {
  await using database = await createDatabase();
  const files = await generatedFiles(testSettings({ DATABASE_URL: database.url, ADMIN_TOKEN: 'only-for-generating' }));
  expect(files.map(({ name }) => name)).toEqual(['.env', 'docs/access.md', 'docs/settings.md', 'openapi.json', 'schema.sql']);
  expect(staleness(files)).toBeUndefined();
});

test('what is stale is named together with the command that renews it', () => {
  const file = (name: string, wanted: string) => ({ name, path: name, current: 'old', wanted });
  expect(staleness([file('a', 'new'), file('b', 'old'), file('c', 'new')])).toBe(
    'a, c do not say what the code says. Run "npm run generate" and commit what it writes.',
  );
});
