import { createHash } from 'node:crypto';
import { ReplyError, type Cluster, type Redis } from 'ioredis';
import { statement, type Database } from '../database/database.js';
import { redisConnection } from './redis-connection.js';

export type RedisChannel = 'events' | 'wake-ups';

const identityStatement = statement<{ identity: string }>(
  'database_identity',
  `SELECT system_identifier || '/' || current_database() AS identity FROM pg_control_system()`,
);

/** What Redis says of itself; of a Cluster, one of its nodes. */
export interface RedisAbout {
  version: string | null;
  used_memory_bytes: number | null;
  clients: number | null;
  uptime_seconds: number | null;
}

const startMs = 2_000;
const aboutMs = 2_000;
const echoMs = 5_000;

/**
 * Messages between the replicas of one database, by Redis pub/sub. They may be lost, and anybody in that Redis can send
 * them, so receivers check what they get and need none of it.
 */
export class RedisBus {
  private readonly publisher: Redis | Cluster;
  private readonly subscriber: Redis | Cluster;
  private readonly listeners = new Map<string, (text: string) => void>();
  private readonly changeListeners = new Set<(connected: boolean) => void>();
  private prefix = '';
  private works = false;
  private subscribed = false;
  private echoAwaited = false;
  private echoTimer: NodeJS.Timeout | undefined;
  private closing = false;

  constructor(
    url: string,
    private readonly replicaId: string,
    private readonly onError: (error: Error) => void,
  ) {
    this.publisher = redisConnection(url);
    this.subscriber = redisConnection(url);
  }

  /** Whether messages arrive just now. */
  get connected(): boolean {
    return this.works;
  }

  /** Resolves when messages arrive, or when it is clear that they do not yet, after at most 2 s. */
  async start(database: Database): Promise<void> {
    const [row] = await database.loops.query(identityStatement);
    this.prefix = `arkitect:${createHash('sha256').update(row!.identity).digest('hex').slice(0, 16)}`;
    this.echoTimer = setInterval(() => this.echo(), echoMs).unref();
    await new Promise<void>((resolve) => {
      setTimeout(resolve, startMs).unref();
      this.onChange(() => resolve());
      this.connect(this.publisher, () => this.echo()).catch(() => resolve());
      this.connect(this.subscriber, () => void this.subscribe()).catch(() => resolve());
    });
  }

  async close(): Promise<void> {
    this.closing = true;
    clearInterval(this.echoTimer);
    // A connection that is not there cannot say goodbye.
    const quit = (link: Redis | Cluster) => link.quit().catch(() => link.disconnect());
    await Promise.all([quit(this.publisher), quit(this.subscriber)]);
  }

  /** `listener` gets what the other replicas publish; one listener a channel. */
  on(channel: RedisChannel, listener: (text: string) => void): void {
    this.listeners.set(channel, listener);
  }

  /** At each change something may have been missed. */
  onChange(listener: (connected: boolean) => void): void {
    this.changeListeners.add(listener);
  }

  /** Rejects when Redis has not taken the message. */
  async publish(channel: RedisChannel, text: string): Promise<void> {
    if (!this.works) throw new Error('Redis is away.');
    await this.send(channel, text);
  }

  /** Undefined while it is away, or says nothing in time. */
  async about(): Promise<RedisAbout | undefined> {
    if (!this.works) return undefined;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => (timer = setTimeout(() => resolve(undefined), aboutMs)));
    // Who may publish may not ask for this everywhere.
    const text = await Promise.race([this.publisher.info().catch(() => ''), late]);
    clearTimeout(timer);
    if (text === undefined) return undefined;
    const field = (name: string) => new RegExp(`^${name}:(\\S+)`, 'm').exec(text)?.[1] ?? null;
    const number = (name: string) => (field(name) === null ? null : Number(field(name)));
    return {
      version: field('redis_version'),
      used_memory_bytes: number('used_memory'),
      clients: number('connected_clients'),
      uptime_seconds: number('uptime_in_seconds'),
    };
  }

  private connect(link: Redis | Cluster, onReady: () => void): Promise<void> {
    // Without a listener the first error would end the process.
    link.on('error', (error: Error) => this.closing || this.onError(error));
    link.on('ready', onReady);
    link.on('close', () => {
      if (link === this.subscriber) this.subscribed = false;
      this.change(false);
    });
    if (link === this.subscriber) link.on('message', (channel: string, message: string) => this.receive(channel, message));
    return link.connect();
  }

  private async subscribe(): Promise<void> {
    try {
      await this.subscriber.subscribe(this.channel('events'), this.channel('wake-ups'), this.channel('echo'));
      this.subscribed = true;
      this.echo();
    } catch (error) {
      this.fail(error as Error);
    }
  }

  /** Publishes to ourselves: only what comes back proves the whole way, permissions and silent connections included. */
  private echo(): void {
    if (!this.subscribed || this.publisher.status !== 'ready') return;
    if (this.echoAwaited) return this.fail(new Error('Redis did not deliver a message.'));
    this.echoAwaited = true;
    this.send('echo', '').catch(() => undefined);
  }

  private async send(channel: RedisChannel | 'echo', text: string): Promise<void> {
    try {
      await this.publisher.publish(this.channel(channel), `${this.replicaId} ${text}`);
    } catch (error) {
      this.fail(error as Error);
      throw error;
    }
  }

  private receive(channel: string, message: string): void {
    if (channel === this.channel('echo')) {
      this.echoAwaited = false;
      return this.change(true);
    }
    const end = message.indexOf(' ');
    if (message.slice(0, end) !== this.replicaId) this.listeners.get(channel.slice(this.prefix.length + 1))?.(message.slice(end + 1));
  }

  private fail(error: Error): void {
    if (this.closing) return;
    this.onError(error);
    this.change(false);
    // An answer, if only a refusal, proves the connection; the next echo tries again.
    if (error instanceof ReplyError) return;
    for (const link of [this.publisher, this.subscriber]) if (link.status === 'ready') link.disconnect(true);
  }

  private change(works: boolean): void {
    if (!works) this.echoAwaited = false;
    if (works === this.works || this.closing) return;
    this.works = works;
    for (const listener of this.changeListeners) listener(works);
  }

  private channel(name: RedisChannel | 'echo'): string {
    return name === 'echo' ? `${this.prefix}:echo:${this.replicaId}` : `${this.prefix}:${name}`;
  }
}
