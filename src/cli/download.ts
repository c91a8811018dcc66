import { once } from 'node:events';
import { open, rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Api } from './api.js';
import { reasonOf, Unreachable, UsageError } from './failures.js';
import { printableJson, type Item } from './text.js';

/** The answer as a file that only its owner can read. A part of it is never taken for the whole: it gets its name when it is complete. */
export async function downloadTo(file: string, api: Api, path: string, query: Item = {}): Promise<void> {
  const part = `${file}.part`;
  const handle = await open(part, 'w', 0o600).catch((error: unknown) => {
    throw new UsageError(`${file} cannot be written: ${reasonOf(error)}.`);
  });
  try {
    const body = await bodyOf(api, path, query);
    await pipeline(body, handle.createWriteStream()).catch((error: unknown) => {
      throw broken(api, error);
    });
    await rename(part, file);
  } catch (error) {
    await handle.close().catch(() => undefined);
    await rm(part, { force: true });
    throw error;
  }
}

/** Lines of JSON to stdout as they come. */
export async function printLines(api: Api, path: string, query: Item): Promise<void> {
  const body = await bodyOf(api, path, query);
  body.setEncoding('utf8');
  try {
    for await (const text of body) if (!process.stdout.write(printableJson(String(text)))) await once(process.stdout, 'drain');
  } catch (error) {
    throw broken(api, error);
  }
}

async function bodyOf(api: Api, path: string, query: Item): Promise<Readable> {
  const response = await api.send('GET', path, { query, headers: { accept: '*/*' } });
  if (!response.ok || !response.body) throw await api.refusal(response);
  return Readable.fromWeb(response.body);
}

function broken(api: Api, error: unknown): Unreachable {
  return new Unreachable(api.url.origin, new Error(`the answer broke off (${reasonOf(error)})`));
}
