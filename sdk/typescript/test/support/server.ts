import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../..', import.meta.url));

/** The real server, as a process of its own on a directory and ports of its own. */
export interface TestServer {
  /** Of its gRPC door. */
  address: string;
  child: ChildProcess;
  /** kill -9, and waits until it is gone. */
  kill(): Promise<void>;
  /** Starts it again, on the same directory and ports, after a kill. */
  restart(): Promise<void>;
  /** Stops it, and removes its directory. */
  stop(): Promise<void>;
}

/** Starts a server; `settings` are those of its environment. */
export async function startServer(settings: Record<string, string> = {}): Promise<TestServer> {
  const directory = mkdtempSync(join(tmpdir(), 'arkitect-sdk-'));
  // Chosen here, so that it can come back on the same ones.
  const [port, grpcPort] = [await freePort(), await freePort()];
  const environment = { PORT: String(port), GRPC_PORT: String(grpcPort), LOG_LEVEL: 'warn', ...settings };
  let child = await launch(directory, environment);
  return {
    address: `127.0.0.1:${grpcPort}`,
    get child() {
      return child;
    },
    async kill() {
      await end(child, 'SIGKILL');
    },
    async restart() {
      child = await launch(directory, environment);
    },
    async stop() {
      await end(child, 'SIGTERM');
      rmSync(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    },
  };
}

async function launch(cwd: string, environment: Record<string, string>): Promise<ChildProcess> {
  const { PATH, HOME } = process.env;
  const child = spawn(join(root, 'node_modules/.bin/node'), [join(root, 'dist/main.js')], {
    cwd,
    env: { PATH, HOME, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  await new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        printed += chunk.toString();
        if (/^ {2}gRPC +\S+:\d+$/m.test(printed)) resolve();
      });
    }
    child.on('error', reject);
    child.on('exit', () => reject(new Error(`The server ended before it was ready:\n${printed}`)));
  });
  return child;
}

/** Ends a process, and waits until it is gone. */
export async function end(child: ChildProcess, signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  child.kill(signal);
  const [code] = (await once(child, 'exit')) as [number | null];
  return code;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
