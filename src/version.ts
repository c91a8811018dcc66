import { readFileSync } from 'node:fs';

/** Of the server, as package.json has it. */
export const serverVersion: string = (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string })
  .version;
