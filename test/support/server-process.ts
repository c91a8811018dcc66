import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SettingKey } from '../../src/settings.js';
// @ts-expect-error The launcher's scripts are plain JavaScript: they run before anything is installed.
import { ensureBuilt } from '../../scripts/setup.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The server as its own process, to be killed. */
export interface ServerProcess {
  child: ChildProcess;
  url: string;
  /** All it has printed so far. */
  output(): string;
  /** SIGKILL, and wait until it is gone. */
  kill(): Promise<void>;
  /** SIGTERM, and the exit code. */
  stop(): Promise<number | null>;
}

/** Compiles the server if need be; call it once before `spawnServer`. */
export function buildServer(): void {
  (ensureBuilt as () => void)();
}

export const testToken = 'a-token-of-the-tests-0123456789';

export async function spawnServer(settings: Partial<Record<SettingKey, string>>): Promise<ServerProcess> {
  const cwd = mkdtempSync(join(tmpdir(), 'arkitect-process-'));
  const child = spawn(process.execPath, [join(root, 'dist/main.js')], {
    cwd,
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      PORT: '0',
      GRPC_PORT: '0',
      LOG_LEVEL: 'warn',
      ADMIN_TOKEN: testToken,
      ...settings,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  const ready = Promise.withResolvers<string>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      printed += chunk.toString();
      const url = /REST and Socket\.IO\s+(http:\S+)/.exec(printed)?.[1];
      if (url) ready.resolve(url);
    });
  }
  const exited = once(child, 'exit').then(([code]) => {
    rmSync(cwd, { recursive: true, force: true });
    ready.reject(new Error(`The server ended before it was ready:\n${printed}`));
    return code as number | null;
  });
  return {
    child,
    url: await ready.promise,
    output: () => printed,
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
    async stop() {
      child.kill('SIGTERM');
      return exited;
    },
  };
}
