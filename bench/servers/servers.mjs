import { startEmbedded } from './embedded-postgres.mjs';
import { startPostgres } from './postgres.mjs';
import { startRedis } from './redis.mjs';

const starts = { postgres: startPostgres, embedded: startEmbedded, redis: startRedis };

/** The servers by name, each started when it is first asked for, all stopped together. */
export class Servers {
  #running = new Map();

  constructor(directory) {
    this.directory = directory;
  }

  /** `postgres`, `embedded` or `redis`. */
  get(name) {
    if (!this.#running.has(name)) this.#running.set(name, starts[name](this.directory));
    return this.#running.get(name);
  }

  async versions() {
    const entries = [...this.#running].map(async ([name, server]) => [name, `${(await server).version}, fsync ${(await server).fsync}`]);
    return Object.fromEntries(await Promise.all(entries));
  }

  async stop() {
    const servers = await Promise.allSettled(this.#running.values());
    this.#running.clear();
    await Promise.all(servers.map(({ value }) => value?.stop()));
  }
}
