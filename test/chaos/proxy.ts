import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type NetConnectOpts, type Server, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

/** One connection through the proxy: the replica's side and the database's side. */
interface Link {
  client: Socket;
  server: Socket;
  /** Nothing passes any more, and neither side is told: what a router that lost its table does. */
  dead: boolean;
  /** Chunks on their way, in order, each direction for itself. */
  toServer: Promise<void>;
  toClient: Promise<void>;
}

/** Stands between one replica and its database, or one worker and the replicas, and does to their connections what networks do. */
export class Proxy {
  private readonly links = new Set<Link>();
  private latencyMs = 0;
  private refusing = false;
  private stalled = false;
  private losingAnswers = false;
  private readonly server: Server;
  private readonly target: () => NetConnectOpts;

  private constructor(target: () => NetConnectOpts) {
    this.target = target;
    this.server = createServer((client) => this.accept(client));
  }

  /** `target`: where the server listens, on TCP or on a unix socket; a function is asked for each connection. */
  static async start(target: NetConnectOpts | (() => NetConnectOpts)): Promise<Proxy> {
    const proxy = new Proxy(typeof target === 'function' ? target : () => target);
    proxy.server.listen(0, '127.0.0.1');
    await once(proxy.server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Every connection ends with RST. */
  reset(): void {
    for (const link of this.links) cut(link);
  }

  /** No connection stays and none comes up. */
  async partition(ms: number): Promise<void> {
    this.refusing = true;
    this.reset();
    await wait(ms);
    this.refusing = false;
  }

  /** Every chunk takes this much longer, in both directions. */
  async slow(latencyMs: number, ms: number): Promise<void> {
    this.latencyMs = latencyMs;
    await wait(ms);
    this.latencyMs = 0;
  }

  /** Nothing passes for a while; then all of it arrives. */
  async stall(ms: number): Promise<void> {
    this.stalled = true;
    for (const { client, server } of this.links) [client, server].forEach((socket) => socket.pause());
    await wait(ms);
    this.stalled = false;
    for (const { client, server } of this.links) [client, server].forEach((socket) => socket.resume());
  }

  /** The connections of this moment are dead for good, and nobody is told; new ones work. */
  forget(): void {
    for (const link of this.links) link.dead = true;
  }

  /** Statements still arrive and are carried out, but their answers are lost, and then the connection is. */
  async loseAnswers(ms: number): Promise<void> {
    this.losingAnswers = true;
    await wait(ms);
    this.losingAnswers = false;
    this.reset();
  }

  /** What the database's host would do about forgotten connections in time: it gives them up. The replica is not told. */
  endForgotten(): void {
    for (const link of this.links) if (link.dead) link.server.destroy();
  }

  async close(): Promise<void> {
    this.server.close();
    this.reset();
    await once(this.server, 'close');
  }

  private accept(client: Socket): void {
    if (this.refusing) return void client.resetAndDestroy();
    const server = connect(this.target());
    server.setNoDelay(true);
    client.setNoDelay(true);
    const link: Link = { client, server, dead: false, toServer: Promise.resolve(), toClient: Promise.resolve() };
    this.links.add(link);
    client.on('data', (chunk: Buffer) => {
      link.toServer = link.toServer.then(() => this.pass(link, server, chunk));
    });
    server.on('data', (chunk: Buffer) => {
      if (!this.losingAnswers) link.toClient = link.toClient.then(() => this.pass(link, client, chunk));
    });
    // The errors are followed by `close`, which says enough.
    client.on('error', () => undefined);
    server.on('error', () => undefined);
    client.on('close', () => {
      this.links.delete(link);
      // A dead link's database side never hears of it.
      if (!link.dead) void link.toServer.then(() => server.destroy());
      else setTimeout(() => server.destroy(), forgottenMs).unref();
    });
    server.on('close', () => {
      if (!link.dead) void link.toClient.then(() => client.destroy());
    });
    if (this.stalled) [client, server].forEach((socket) => socket.pause());
  }

  private async pass(link: Link, to: Socket, chunk: Buffer): Promise<void> {
    if (this.latencyMs) await wait(this.latencyMs);
    if (!link.dead && !to.destroyed) to.write(chunk);
  }
}

/** After this the database's side of a forgotten connection, whose replica gave it up, is ended too. */
const forgottenMs = 20_000;

function cut({ client, server }: Link): void {
  client.resetAndDestroy();
  server.destroy();
}
