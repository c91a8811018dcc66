import { spawn, type ChildProcess } from 'node:child_process';
import { appendFileSync, globSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { History } from './history.js';

export interface ReplicaOptions {
  name: string;
  /** Where dist/main.js is. */
  build: string;
  /** Its working directory; what it prints goes to `directory`.log. */
  directory: string;
  environment: NodeJS.ProcessEnv;
  history: History;
  /** Where every process of it answers gRPC; 0 lets each choose. */
  grpcPort?: number;
}

/** A start that takes longer is killed and tried again, as an orchestrator's startup probe would have it. */
const startMs = 45_000;
const stopMs = 45_000;
const againMs = 200;

/** One server process after another under one name. */
export class Replica {
  readonly name: string;
  /** Where the present process answers; undefined while there is none. */
  url: string | undefined;
  /** All process ids this replica had. */
  readonly processes = new Set<number>();
  /** How often a process did not come up, for lack of a database usually. */
  failedStarts = 0;
  private child: ChildProcess | undefined;
  private expected = false;
  private readonly options: ReplicaOptions;

  constructor(options: ReplicaOptions) {
    this.options = options;
    this.name = options.name;
    mkdirSync(options.directory);
  }

  get grpcPort(): number {
    return this.options.grpcPort ?? 0;
  }

  get processId(): number {
    return this.child!.pid!;
  }

  /** Resolves when it is ready. `skewSeconds` shifts the clock it sees. */
  async start(skewSeconds = 0): Promise<void> {
    for (;;) {
      const child = this.spawn(skewSeconds);
      const url = await Promise.race([this.readiness(child), wait(startMs, undefined, { ref: false })]);
      if (url) {
        this.url = url;
        return;
      }
      this.failedStarts++;
      await this.end(child, 'SIGKILL');
      await wait(againMs);
    }
  }

  /** SIGKILL, and wait until it is gone. */
  async kill(): Promise<void> {
    const { processId } = this;
    this.options.history.add({ kind: 'killed', process: processId });
    await this.end(this.child!, 'SIGKILL');
  }

  /** SIGTERM. It must end by itself, in time, with code 0. */
  async stop(): Promise<void> {
    const child = this.child!;
    const timer = setTimeout(() => {
      this.wrong(`${this.name} had not stopped ${stopMs / 1_000} s after SIGTERM`);
      child.kill('SIGKILL');
    }, stopMs);
    const code = await this.end(child, 'SIGTERM');
    clearTimeout(timer);
    if (code !== 0 && code !== null) this.wrong(`${this.name} ended with code ${code} after SIGTERM`);
  }

  /** SIGSTOP for a while: the process exists and does nothing. */
  async freeze(ms: number): Promise<void> {
    const child = this.child!;
    this.options.history.add({ kind: 'frozen', process: child.pid!, until: Date.now() + ms });
    child.kill('SIGSTOP');
    await wait(ms);
    child.kill('SIGCONT');
  }

  /** Ends whatever is there, when the harness itself fails. */
  destroy(): void {
    this.expected = true;
    this.child?.kill('SIGCONT');
    this.child?.kill('SIGKILL');
  }

  /** Resolves when the present process is gone, for whatever reason. */
  async ended(): Promise<void> {
    const child = this.child!;
    if (child.exitCode === null && child.signalCode === null) await new Promise<void>((resolve) => child.once('exit', () => resolve()));
  }

  /** Whether the present process may end by itself, as it does when its embedded database dies. */
  expectEnd(expected = true): void {
    this.expected = expected;
  }

  private spawn(skewSeconds: number): ChildProcess {
    const { environment, build, directory } = this.options;
    const child = spawn(process.execPath, [join(build, 'dist/main.js')], {
      cwd: directory,
      env: { ...environment, GRPC_PORT: String(this.grpcPort), ...(skewSeconds && falseClock(skewSeconds)) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child = child;
    this.expected = false;
    this.processes.add(child.pid!);
    child.once('exit', (code, signal) => {
      // Before it is ready a server may give up, if it says so: its database may be down.
      if (this.url && !this.expected) this.wrong(`${this.name} ended by itself (${signal ?? code})`);
      this.url = undefined;
    });
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => appendFileSync(`${directory}.log`, chunk));
    return child;
  }

  private readiness(child: ChildProcess): Promise<string | undefined> {
    return new Promise((resolve) => {
      let printed = '';
      child.stdout!.on('data', (chunk: Buffer) => {
        printed += chunk.toString();
        const url = /REST and Socket\.IO\s+(http:\S+)/.exec(printed)?.[1];
        if (url) resolve(url);
      });
      child.once('exit', () => resolve(undefined));
    });
  }

  private async end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
    this.expected = true;
    if (signal === 'SIGKILL') this.url = undefined;
    const exited = new Promise<number | null>((resolve) => {
      if (child.exitCode !== null || child.signalCode !== null) resolve(child.exitCode);
      else child.once('exit', resolve);
    });
    child.kill(signal);
    return exited;
  }

  private wrong(what: string): void {
    this.options.history.add({ kind: 'wrong', rule: 'process', what });
  }
}

/** Debian's libfaketime, where it is installed. The program `faketime` would stand between us and the process. */
export const fakeTimeLibrary = globSync('/usr/lib/*/faketime/libfaketime.so.1')[0];

function falseClock(skewSeconds: number): NodeJS.ProcessEnv {
  return {
    LD_PRELOAD: fakeTimeLibrary,
    FAKETIME: `${skewSeconds > 0 ? '+' : ''}${skewSeconds}s`,
    // The monotonic clock would be moved, too, which no operating system does.
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    DONT_FAKE_MONOTONIC: '1',
  };
}
