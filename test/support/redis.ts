import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.js';
import { until } from './until.js';

export const hasRedis = spawnSync('redis-server', ['--version']).status === 0;
/** For the name of a suite that needs one. */
export const redisOrSkipped = hasRedis ? 'with Redis' : 'with Redis (skipped: there is no redis-server on the PATH)';

/** A Redis of the test's own on loopback, to be killed and started again. */
export class TestRedis {
  readonly port: number;
  private readonly args: string[];
  private child: ChildProcess | undefined;
  private readonly directory = mkdtempSync(join(tmpdir(), 'arkitect-redis-'));
  /** Sentinels want a file that they can write to. */
  private readonly configFile = join(this.directory, 'redis.conf');

  private constructor(port: number, args: string[]) {
    this.port = port;
    this.args = args;
  }

  static async start(...args: string[]): Promise<TestRedis> {
    const redis = new TestRedis(await freePort(), args);
    writeFileSync(redis.configFile, '');
    await redis.start();
    return redis;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  get pid(): number {
    return this.child!.pid!;
  }

  async start(): Promise<void> {
    const address = ['--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.directory];
    const args = [this.configFile, ...this.args, ...address];
    if (!args.includes('--sentinel')) args.push('--save', '', '--appendonly', 'no');
    this.child = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let printed = '';
    this.child.stdout!.on('data', (chunk: Buffer) => (printed += chunk.toString()));
    await until('redis-server to listen', () => {
      if (this.child!.exitCode !== null) throw new Error(`redis-server ended:\n${printed}`);
      return /Ready to accept connections|Sentinel ID is/.test(printed);
    });
  }

  /** SIGKILL, and wait until it is gone. */
  async kill(): Promise<void> {
    const exited = once(this.child!, 'exit');
    this.child!.kill('SIGKILL');
    await exited;
    this.child = undefined;
  }

  async close(): Promise<void> {
    if (this.child) await this.kill();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
