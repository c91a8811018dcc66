import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createApp } from '../app.js';
import { Kernel } from '../kernel.js';
import { createLogger } from '../logger.js';
import type { Settings } from '../settings.js';
import { openApiDocument } from '../transport/openapi.js';
import { accessRows } from './access-rows.js';
import { accessTable } from './access-table.js';
import { envFile } from './env-file.js';
import { schemaDump } from './schema-dump.js';
import { settingsTable } from './settings-table.js';

const root = join(import.meta.dirname, '..', '..');

export interface GeneratedFile {
  /** From the root of the project. */
  name: string;
  path: string;
  /** What is there, empty when there is nothing. */
  current: string;
  wanted: string;
}

/** Everything that is generated from the code and its migrated database, beside what is there. */
export async function generatedFiles(settings: Settings): Promise<GeneratedFile[]> {
  const { schema, document, access } = await fromServer(settings);
  return [
    file('.env', envFile),
    file('docs/access.md', () => accessTable(access)),
    file('docs/settings.md', settingsTable),
    file('openapi.json', () => `${JSON.stringify(document, null, 2)}\n`),
    file('schema.sql', () => schema),
  ];
}

/** A sentence that names what is stale and how to renew it; undefined when all is fresh. */
export function staleness(files: GeneratedFile[]): string | undefined {
  const stale = files.filter(({ current, wanted }) => current !== wanted).map(({ name }) => name);
  if (!stale.length) return undefined;
  return `${stale.join(', ')} ${stale.length === 1 ? 'does' : 'do'} not say what the code says. Run "npm run generate" and commit what it writes.`;
}

function file(name: string, render: (current: string) => string): GeneratedFile {
  const path = join(root, name);
  const current = read(path);
  return { name, path, current, wanted: render(current) };
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

/** The doors are made but never opened: their document needs no port. */
async function fromServer(settings: Settings) {
  const logger = createLogger(settings);
  const kernel = await Kernel.start(settings, logger);
  try {
    const app = await createApp(kernel, settings, logger);
    try {
      return { schema: await schemaDump(kernel.database.api), document: openApiDocument(app), access: accessRows(app) };
    } finally {
      await app.close();
    }
  } finally {
    await kernel.close();
  }
}
