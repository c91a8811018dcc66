import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DestinationStream } from 'pino';
import { startServer, type Server } from '../../src/app.js';
import { createLogger } from '../../src/logger.js';
import { loadSettings, type LoadedSettings, type SettingKey, type Settings } from '../../src/settings.js';
import { createDatabase } from './database.js';

export interface TestServer {
  server: Server;
  url: string;
  token: string;
  settings: Settings;
  /** Sends JSON as root; answers status, headers and parsed body. */
  api(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  close(): Promise<void>;
}

export interface Answer {
  status: number;
  headers: Headers;
  // What a test reads from an answer is checked by its assertions.
  // oxlint-disable-next-line typescript/no-explicit-any
  body: any;
}

type Overrides = Partial<Record<SettingKey, string>>;

/** Settings of a test: defaults, a free port, the Redis of `.ci/system-redis.sh`; nothing else of the real environment. */
export function testSettings(overrides: Overrides): Settings {
  return loadTestSettings(overrides).settings;
}

function loadTestSettings(overrides: Overrides, envFile = '/nonexistent/.env'): LoadedSettings {
  return loadSettings({ PORT: '0', GRPC_PORT: '0', LOG_LEVEL: 'error', REDIS_URL: process.env.TEST_REDIS_URL, ...overrides }, envFile);
}

interface Extras {
  /** Is watched. */
  envFile?: string;
  log?: DestinationStream;
}

/** A whole replica in this process, on a database of its own (or on `databaseUrl`, shared with other replicas). */
export async function startTestServer(overrides: Overrides = {}, databaseUrl?: string, extras: Extras = {}): Promise<TestServer> {
  const database = databaseUrl ? undefined : await createDatabase();
  const token = randomBytes(24).toString('base64url');
  const directory = mkdtempSync(join(tmpdir(), 'arkitect-server-'));
  const own = { ADMIN_TOKEN: token, DATA_DIR: directory, DATABASE_URL: databaseUrl ?? database!.url, ...overrides };
  const { envFile } = extras;
  const { settings, sources } = loadTestSettings(own, envFile);
  const server = await startServer(settings, createLogger(settings, extras.log), { sources, ...(envFile !== undefined && { envFile }) });
  return {
    server,
    url: server.url,
    token: settings.ADMIN_TOKEN,
    settings,
    api: (method, path, body, headers = {}) =>
      call(server.url, method, path, body, { authorization: `Bearer ${settings.ADMIN_TOKEN}`, ...headers }),
    async close() {
      await server.close(AbortSignal.abort());
      await database?.drop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** One HTTP call; `body` is sent as JSON, a string as it is. */
export async function call(
  url: string,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(url + path, {
    method,
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = /[/+]json/.test(response.headers.get('content-type') ?? '');
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
}
