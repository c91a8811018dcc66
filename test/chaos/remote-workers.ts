import { spawn, type ChildProcess } from 'node:child_process';
import { appendFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { send } from './api.js';
import type { Fault } from './faults.js';
import type { History } from './history.js';
import { Proxy } from './proxy.js';
import type { Random } from './random.js';
import type { Replica } from './replica.js';
import { within } from './within.js';
import { token } from './world.js';

const welcomeMs = 60_000;

/** One worker process after another under one name, behind a proxy that leads each of its connections to any replica. */
export class RemoteWorker {
  private child: ChildProcess | undefined;
  private expected = false;

  readonly name: string;
  readonly proxy: Proxy;
  private readonly sdk: string;
  private readonly log: string;
  private readonly history: History;

  private constructor(options: { name: string; proxy: Proxy; sdk: string; log: string; history: History }) {
    this.name = options.name;
    this.proxy = options.proxy;
    this.sdk = options.sdk;
    this.log = options.log;
    this.history = options.history;
  }

  /** `count` of them, known to the server when this resolves. */
  static async startAll(root: string, directory: string, count: number, replicas: Replica[], random: Random, history: History) {
    const sdk = join(root, 'sdk/typescript/dist/index.js');
    if (count && !existsSync(sdk))
      throw new Error('--workers needs the TypeScript SDK: run "npm ci && npm run build" in sdk/typescript, then try again.');
    const target = () => ({ host: '127.0.0.1', port: random.pick(replicas).grpcPort });
    const workers = await Promise.all(
      Array.from({ length: count }, async (_, index) => {
        const name = `remote-${index + 1}`;
        return new RemoteWorker({ name, proxy: await Proxy.start(target), sdk, log: join(directory, `${name}.log`), history });
      }),
    );
    for (const worker of workers) worker.start();
    const known = async () => {
      const answer = await send(replicas[0]!.url!, 'GET', '/workers');
      return answer !== 'lost' && answer.status === 200 && (answer.body as { items: unknown[] }).items.length === count;
    };
    if (count && !(await within(welcomeMs, known)))
      throw new Error(`The ${count} remote workers did not connect in ${welcomeMs / 1_000} s.`);
    return workers;
  }

  start(): void {
    const program = join(import.meta.dirname, 'remote-worker.mjs');
    const child = spawn(process.execPath, [program, this.sdk, `127.0.0.1:${this.proxy.port}`, token, this.name], {
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

export const workerFaults: Fault[] = [
  {
    kind: 'worker killed (SIGKILL)',
    target: 'worker',
    async inject({ workers }, random) {
      const worker = random.pick(workers);
      await worker.end('SIGKILL');
      await wait(random.between(0, 4_000));
      worker.start();
    },
  },
  {
    kind: 'worker stopped under load (SIGTERM)',
    target: 'worker',
    async inject({ workers }, random) {
      const worker = random.pick(workers);
      await worker.end('SIGTERM');
      worker.start();
    },
  },
  {
    kind: 'worker frozen past its lease (SIGSTOP)',
    target: 'worker',
    inject: ({ workers, leaseSeconds }, random) => random.pick(workers).freeze(leaseSeconds * random.between(1.5, 4) * 1_000),
  },
  { kind: 'stream of a worker reset', target: 'worker', inject: async ({ workers }, random) => random.pick(workers).proxy.reset() },
  {
    kind: 'worker cut off',
    target: 'worker',
    inject: ({ workers }, random) => random.pick(workers).proxy.partition(random.between(500, 8_000)),
  },
  {
    kind: 'stream of a worker slow',
    target: 'worker',
    inject: ({ workers }, random) => random.pick(workers).proxy.slow(random.between(20, 500), random.between(1_000, 6_000)),
  },
  {
    kind: 'stream of a worker stalled',
    target: 'worker',
    inject: ({ workers }, random) => random.pick(workers).proxy.stall(random.between(500, 7_000)),
  },
  {
    kind: 'stream of a worker half-open for good',
    target: 'worker',
    inject: async ({ workers }, random) => random.pick(workers).proxy.forget(),
  },
  {
    kind: 'answers to a worker lost',
    target: 'worker',
    inject: ({ workers }, random) => random.pick(workers).proxy.loseAnswers(random.between(20, 1_500)),
  },
];
