import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, closeSync, globSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { freePort } from '../support/free-port.js';
import { queryOn, type Query } from './query.js';

/** Debian's PostgreSQL on loopback in a directory of its own, with fsync on, to be restarted and killed. */
export class Postgres {
  readonly port: number;
  readonly version: string;
  /** Straight to the server, past the proxies. */
  readonly query: Query;
  private readonly directory: string;
  private readonly programs: string;
  /** PostgreSQL refuses to be run by root. */
  private readonly account: string[];

  private constructor(directory: string, programs: string, port: number, account: string[]) {
    this.directory = directory;
    this.programs = programs;
    this.port = port;
    this.account = account;
    this.version = spawnSync(join(programs, 'postgres'), ['--version'], { encoding: 'utf8' }).stdout.trim();
    this.query = queryOn({ host: '127.0.0.1', port, user: 'postgres', database: 'postgres' });
  }

  /** Makes a cluster in `directory` and starts it. */
  static async start(directory: string): Promise<Postgres> {
    const programs = globSync('/usr/lib/postgresql/*/bin').sort().at(-1);
    if (!programs) throw new Error("PostgreSQL is not installed. Install Debian's package postgresql, then try again.");
    mkdirSync(directory);
    const owner = process.getuid?.() === 0 ? ownerOfClusters() : undefined;
    if (owner) chownSync(directory, owner.uid, owner.gid);
    chmodSync(directory, 0o755);
    const account = owner ? ['setpriv', `--reuid=${owner.uid}`, `--regid=${owner.gid}`, '--clear-groups'] : [];
    const postgres = new Postgres(directory, programs, await freePort(), account);
    await postgres.run('initdb', '-D', postgres.data, '-A', 'trust', '-U', 'postgres', '-E', 'UTF8', '--locale=C');
    await postgres.startServer();
    return postgres;
  }

  get processId(): number {
    return Number(readFileSync(join(this.data, 'postmaster.pid'), 'utf8').split('\n')[0]);
  }

  /** Fast: sessions are cut, transactions rolled back. Immediate: as if it had crashed, but in order. */
  async stop(mode: 'fast' | 'immediate'): Promise<void> {
    await this.run('pg_ctl', '-D', this.data, '-m', mode, '-w', 'stop');
  }

  /** SIGKILL of the postmaster; its children notice and end by themselves. */
  kill(): void {
    process.kill(this.processId, 'SIGKILL');
  }

  /** Starts the server; after a crash as often as it takes until the dead one's children are gone. */
  async startServer(): Promise<void> {
    const options = `-p ${this.port} -k ${this.directory} -c listen_addresses=127.0.0.1 -c fsync=on -c max_connections=200`;
    for (let tries = 1; ; tries++) {
      try {
        return await this.run('pg_ctl', '-D', this.data, '-l', join(this.directory, 'log'), '-w', '-t', '60', '-o', options, 'start');
      } catch (error) {
        if (tries === 100) throw error;
        await wait(200);
      }
    }
  }

  private get data(): string {
    return join(this.directory, 'data');
  }

  private async run(program: string, ...args: string[]): Promise<void> {
    const [command, ...rest] = [...this.account, join(this.programs, program), ...args];
    // The server lives on with these as its own, so they must not be pipes of ours.
    const output = openSync(join(this.directory, 'programs.log'), 'a', 0o666);
    const child = spawn(command!, rest, { cwd: this.directory, stdio: ['ignore', output, output] });
    closeSync(output);
    const [code] = (await once(child, 'exit')) as [number | null];
    if (code !== 0) throw new Error(`${program} ended with ${code}; ${join(this.directory, 'programs.log')} says why.`);
  }
}

function ownerOfClusters(): { uid: number; gid: number } {
  for (const name of ['postgres', 'nobody']) {
    const [uid, gid] = ['-u', '-g'].map((which) => spawnSync('id', [which, name], { encoding: 'utf8' }).stdout.trim());
    if (uid && gid) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new Error('Neither the account postgres nor nobody exists to run PostgreSQL under.');
}
