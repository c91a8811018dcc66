import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UsageError } from './failures.js';

/** The directory of package.json, from dist/cli. */
const checkout = fileURLToPath(new URL('../..', import.meta.url));

export interface Token {
  token: string;
  /** For the sentence that says which one was refused. */
  from: string;
}

interface Sources {
  token?: string;
  env: NodeJS.ProcessEnv;
  url: URL;
}

/** From `--token`, `ARKITECT_TOKEN`, or the file that the server generated; undefined: none, which is enough on loopback for most. */
export function findToken({ token, env, url }: Sources): Token | undefined {
  if (token) return { token: checked(token, '--token'), from: '--token' };
  if (env.ARKITECT_TOKEN) return { token: checked(env.ARKITECT_TOKEN, 'ARKITECT_TOKEN'), from: 'ARKITECT_TOKEN' };
  // The token of the server on this machine is nothing that another one should see.
  if (!isLoopback(url.hostname)) return undefined;
  const files = env.DATA_DIR ? [join(env.DATA_DIR, 'admin-token')] : [join('data', 'admin-token'), join(checkout, 'data', 'admin-token')];
  for (const file of files) {
    const found = read(file);
    if (found) return { token: found, from: file };
  }
  return undefined;
}

/** What a header cannot carry would fail in fetch, with the token in the message. */
function checked(token: string, from: string): string {
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new UsageError(`The token of ${from} has spaces or characters beyond ASCII in it. Copy it again.`);
}

function read(file: string): string | undefined {
  try {
    return /^[\x21-\x7e]+$/.exec(readFileSync(file, 'utf8').trim())?.[0];
  } catch {
    return undefined;
  }
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}
