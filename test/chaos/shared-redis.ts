import { Redis } from 'ioredis';
import { TestRedis } from '../support/redis.js';
import { Proxy } from './proxy.js';

/** A Redis between the replicas, each of which reaches it through a proxy of its own. */
export class SharedRedis {
  readonly server: TestRedis;
  readonly proxies: Proxy[];
  /** Batches of events that a replica has handed to the others. */
  batches = 0;
  private readonly listener: Redis;

  private constructor(server: TestRedis, proxies: Proxy[]) {
    this.server = server;
    this.proxies = proxies;
    this.listener = new Redis(server.url);
    // It comes back by itself, as Redis does.
    this.listener.on('error', () => undefined);
    this.listener.on('pmessage', () => this.batches++);
  }

  static async start(replicas: number): Promise<SharedRedis> {
    const server = await TestRedis.start();
    const proxies = await Promise.all(Array.from({ length: replicas }, () => Proxy.start({ host: '127.0.0.1', port: server.port })));
    const redis = new SharedRedis(server, proxies);
    await redis.listener.psubscribe('arkitect:*:events');
    return redis;
  }

  /** For the replica of this index. */
  url(index: number): string {
    return `redis://127.0.0.1:${this.proxies[index]!.port}`;
  }

  /** Connections that replicas have open. */
  async connections(): Promise<number> {
    const asking = new Redis(this.server.url);
    const clients = (await asking.client('LIST')) as string;
    asking.disconnect();
    // This one, and the listener.
    return clients.trim().split('\n').length - 2;
  }

  async close(): Promise<void> {
    this.listener.disconnect();
    await Promise.all(this.proxies.map((proxy) => proxy.close()));
    await this.server.close();
  }
}
