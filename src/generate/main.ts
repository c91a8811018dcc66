import 'reflect-metadata';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadSettings } from '../settings.js';
import { generatedFiles, staleness } from './generated-files.js';

/** `npm run generate` writes what is generated; with `--check` it only says what is stale, and fails when anything is. */
const check = process.argv.includes('--check');
const directory = mkdtempSync(join(tmpdir(), 'arkitect-generate-'));
try {
  // Defaults, and an embedded database that is gone afterwards: nothing here may depend on anybody's own settings.
  const { settings } = loadSettings(
    { DATA_DIR: directory, ADMIN_TOKEN: 'only-for-generating', LOG_LEVEL: 'error' },
    join(directory, '.env'),
  );
  const files = await generatedFiles(settings);
  const stale = staleness(files);
  if (check && stale) {
    process.stderr.write(`${stale}\n`);
    process.exitCode = 1;
  }
  if (!check) for (const { path, wanted } of files) writeFileSync(path, wanted);
} finally {
  rmSync(directory, { recursive: true, force: true });
}
