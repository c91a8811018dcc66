import { randomBytes, randomUUID } from 'node:crypto';
import { chmod, link, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { settingDefinitions } from '../setting-definitions.js';
import { SettingsError, type Settings } from '../settings.js';

/** Injection token of the resolved `AdminToken`. */
export const ADMIN_TOKEN = Symbol('AdminToken');

/** The root token and where it came from. `warning` is a sentence for the log. */
export interface AdminToken {
  token: string;
  file?: string;
  /** Made by this call. */
  generated: boolean;
  /** The file is the server's own: it was generated, and a new token goes there. */
  isOwnFile?: boolean;
  warning?: string;
}

/**
 * `ADMIN_TOKEN`, else the content of `ADMIN_TOKEN_FILE`, else of `DATA_DIR/admin-token`, which is generated when it is missing.
 * Throws `SettingsError` for a file that cannot be read or that holds no valid token.
 */
export async function resolveAdminToken(settings: Settings): Promise<AdminToken> {
  if (settings.ADMIN_TOKEN) return { token: settings.ADMIN_TOKEN, generated: false };
  if (settings.ADMIN_TOKEN_FILE) {
    const file = settings.ADMIN_TOKEN_FILE;
    return { token: await readToken(file, `ADMIN_TOKEN_FILE (${file})`), file, generated: false };
  }
  const file = join(settings.DATA_DIR, 'admin-token');
  try {
    const generated = await generate(settings.DATA_DIR, file);
    const token = await readToken(file, file);
    return { token, file, generated, isOwnFile: true, warning: generated ? undefined : await makePrivate(file) };
  } catch (error) {
    if (error instanceof SettingsError) throw error;
    throw new SettingsError(
      `The admin token could not be written to ${file} (${reason(error)}). Make DATA_DIR writable, or set ADMIN_TOKEN.`,
      {
        cause: error,
      },
    );
  }
}

export function newToken(): string {
  return randomBytes(32).toString('base64url');
}

/** Puts another token where the server's own came from; answers whether that is a file of its own. Whoever reads it finds the old one or the new one. */
export async function replaceToken({ file, isOwnFile }: AdminToken, token: string): Promise<boolean> {
  if (!isOwnFile || file === undefined) return false;
  const draft = `${file}.${randomUUID()}`;
  try {
    await writeFile(draft, `${token}\n`, { mode: 0o600, flag: 'wx' });
    await rename(draft, file);
    return true;
  } finally {
    await rm(draft, { force: true });
  }
}

/** What the server's own file holds by now. */
export async function tokenInFile({ file }: AdminToken): Promise<string | undefined> {
  return file === undefined ? undefined : readToken(file, file);
}

/** Writes a new token unless the file exists. A link makes it appear complete, and to only one of two processes starting at once. */
async function generate(directory: string, file: string): Promise<boolean> {
  if (await exists(file)) return false;
  await mkdir(directory, { recursive: true });
  const draft = `${file}.${randomUUID()}`;
  try {
    await writeFile(draft, `${newToken()}\n`, { mode: 0o600, flag: 'wx' });
    await link(draft, file);
    return true;
  } catch (error) {
    if (code(error) === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

async function readToken(file: string, name: string): Promise<string> {
  let token: string;
  try {
    token = (await readFile(file, 'utf8')).trim();
  } catch (error) {
    throw new SettingsError(`${name} cannot be read (${reason(error)}). Correct the path or its permissions, or set ADMIN_TOKEN.`, {
      cause: error,
    });
  }
  if (!token || settingDefinitions.ADMIN_TOKEN.parse(token) === undefined) {
    throw new SettingsError(`${name} must hold one token of 16 to 512 printable characters without spaces, and nothing else.`);
  }
  return token;
}

async function makePrivate(file: string): Promise<string | undefined> {
  // Windows has no such bits; its files inherit the directory's access list.
  if (process.platform === 'win32' || ((await stat(file)).mode & 0o077) === 0) return undefined;
  await chmod(file, 0o600);
  return `${file} could be read by other accounts; it is private now. If others may have read the token, delete the file and start again.`;
}

async function exists(file: string): Promise<boolean> {
  try {
    await stat(file);
    return true;
  } catch (error) {
    if (code(error) === 'ENOENT') return false;
    throw error;
  }
}

function code(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

function reason(error: unknown): string {
  return code(error) ?? String(error);
}
