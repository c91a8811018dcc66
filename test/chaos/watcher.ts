import { setTimeout as wait } from 'node:timers/promises';
import { io, type Socket } from 'socket.io-client';
import type { SeenEvent } from './history.js';
import type { Random } from './random.js';
import { token, type World } from './world.js';

const connectMs = 10_000;

/** A subscriber of all tasks over Socket.IO. After a cut, or after `stayMs`, it goes on at any replica where it was. */
export class Watcher {
  /** The last `seq` it has seen; what comes after it is asked for at the next replica. */
  last = 0;
  private readonly name: string;
  private readonly world: World;
  private readonly random: Random;
  private readonly stayMs: [min: number, max: number];
  private readonly stopping = new AbortController();

  constructor(name: string, world: World, random: Random, stayMs: [min: number, max: number]) {
    this.name = name;
    this.world = world;
    this.random = random;
    this.stayMs = stayMs;
  }

  async run(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      const url = this.random.pick(this.world.replicas).url;
      if (url) await this.watch(url);
      await wait(100);
    }
  }

  stop(): void {
    this.stopping.abort();
  }

  private async watch(url: string): Promise<void> {
    const socket = io(`${url}/tasks`, { forceNew: true, reconnection: false, transports: ['websocket'], timeout: 5_000, auth: { token } });
    const left = new Promise<void>((resolve) => socket.once('disconnect', () => resolve()));
    try {
      await connected(socket);
      socket.onAny((action: string, event: SeenEvent) => this.see(action, event));
      this.world.history.add({ kind: 'resumed', watcher: this.name, since: this.last });
      const ack = (await socket.timeout(10_000).emitWithAck('subscribe', { since: this.last })) as {
        reset?: boolean;
        error?: { code: string };
      };
      if (ack.error && ack.error.code !== 'UNAVAILABLE') this.wrong(`${this.name} was refused: ${JSON.stringify(ack.error)}`);
      if (ack.reset) this.wrong(`${this.name} could not resume from ${this.last}, though nothing was pruned`);
      if (ack.error || ack.reset) return;
      await Promise.race([left, wait(this.random.between(...this.stayMs), undefined, { signal: this.stopping.signal })]);
    } catch {
      // Not reachable, not answering, or told to stop: the loop decides.
    } finally {
      socket.offAny();
      socket.disconnect();
    }
  }

  private see(action: string, event: SeenEvent): void {
    const { seq, id, status, version } = event;
    this.last = Math.max(this.last, seq);
    this.world.history.add({ kind: 'event', watcher: this.name, event: { seq, action, id, status, version } });
  }

  private wrong(what: string): void {
    this.world.history.add({ kind: 'wrong', rule: 'resume', what });
  }
}

function connected(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('connect_error', reject);
    // A server that dies in the middle of the handshake gives neither.
    setTimeout(() => reject(new Error('No answer')), connectMs);
  });
}
