import { spawn, type ChildProcess } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { History } from './history.js';
import type { Proxy } from './proxy.js';

export interface RemoteWorkerOptions {
  name: string;
  /** Leads each of its connections to any replica. */
  proxy: Proxy;
  /** The TypeScript SDK, compiled. */
  sdk: string;
  token: string;
  /** Where what it prints goes. */
  log: string;
  history: History;
}

/** One worker process after another under one name, behind a proxy that leads each of its connections to any replica. */
export class RemoteWorker {
  private child: ChildProcess | undefined;
  private expected = false;

  readonly name: string;
  readonly proxy: Proxy;
  private readonly sdk: string;
  private readonly token: string;
  private readonly log: string;
  private readonly history: History;

  constructor(options: RemoteWorkerOptions) {
    this.name = options.name;
    this.proxy = options.proxy;
    this.sdk = options.sdk;
    this.token = options.token;
    this.log = options.log;
    this.history = options.history;
  }

  start(): void {
    const program = join(import.meta.dirname, 'remote-worker-program.mjs');
    const child = spawn(process.execPath, [program, this.sdk, `127.0.0.1:${this.proxy.port}`, this.token, this.name], {
      env: { PATH: process.env.PATH, HOME: process.env.HOME },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child = child;
    this.expected = false;
    child.once('exit', (code, signal) => {
      if (!this.expected) this.history.add({ kind: 'wrong', rule: 'process', what: `${this.name} ended by itself (${signal ?? code})` });
    });
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => appendFileSync(this.log, chunk));
  }

  /** Resolves when it is gone. */
  async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.child!;
    this.expected = true;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill(signal);
    await exited;
  }

  async freeze(ms: number): Promise<void> {
    this.child!.kill('SIGSTOP');
    await wait(ms);
    this.child!.kill('SIGCONT');
  }

  async stop(): Promise<void> {
    await this.end('SIGTERM');
    await this.proxy.close();
  }

  destroy(): void {
    this.expected = true;
    this.child?.kill('SIGKILL');
  }
}
