import { Inject, Injectable, Optional } from '@nestjs/common';
import { ConfigStore, type ReplicaRow } from '../../config/config.store.js';
import { Database } from '../../database/database.js';
import { readMigrations } from '../../database/migrate.js';
import type { RedisBus } from '../../events/redis-bus.js';
import { HandlerRegistry } from '../../handlers/handlers.js';
import { HealthService } from '../../health/health.service.js';
import { Redactor } from '../../logging/redactor.js';
import { SETTINGS, type Settings } from '../../settings.js';
import { serverVersion } from '../../version.js';
import { REPLICA_ID } from '../../workers/workers.tokens.js';
import { LogStorage } from '../logs/log-storage.js';
import { OwnProcess } from './own-process.js';
import type { DatabaseAnswer, HealthAnswer, MigrationsAnswer, RedisAnswer, SystemAnswer } from './system-answers.js';
import { SystemStore } from './system.store.js';
import { REDIS } from './system.tokens.js';

/** How the server and all it stands on are, for those who look after it. */
@Injectable()
export class SystemService {
  private readonly known = readMigrations().length;

  constructor(
    private readonly store: SystemStore,
    private readonly configStore: ConfigStore,
    private readonly database: Database,
    private readonly health: HealthService,
    private readonly handlers: HandlerRegistry,
    private readonly own: OwnProcess,
    private readonly logs: LogStorage,
    private readonly redactor: Redactor,
    @Inject(SETTINGS) private readonly settings: Settings,
    @Inject(REPLICA_ID) private readonly replicaId: string,
    @Optional() @Inject(REDIS) private readonly redis: RedisBus | undefined,
  ) {}

  async system(): Promise<SystemAnswer> {
    const [host, database, redis, migrations, replicas] = await Promise.all([
      this.own.host(),
      this.databaseAnswer(),
      this.redisAnswer(),
      this.migrations(),
      this.configStore.replicas(),
    ]);
    const leader = leaderOf(replicas);
    return {
      at: new Date().toISOString(),
      replica_id: this.replicaId,
      version: serverVersion,
      node_version: process.versions.node,
      process: this.own.process(),
      host,
      database,
      redis,
      migrations,
      replicas: replicas.map((replica) => ({ ...replica, role: replica.replica_id === leader ? 'leader' : 'follower' })),
      leader,
      pools: Object.entries(this.database.pools()).map(([name, use]) => ({ name, ...use })),
      handlers: this.handlers.all().map(({ type, description }) => ({ type, description })),
      logs: this.logs.state,
    };
  }

  async dependencies(): Promise<HealthAnswer> {
    const dependencies = (await this.health.dependencies()).map(({ reason, ...rest }) => ({
      ...rest,
      // The errors of drivers may say more than they should.
      reason: reason && this.redactor.text(reason),
    }));
    const has = (wanted: string) => dependencies.some(({ status }) => status === wanted);
    const status = has('down') ? 'down' : has('degraded') ? 'degraded' : 'up';
    return { at: new Date().toISOString(), replica_id: this.replicaId, status, dependencies };
  }

  private async databaseAnswer(): Promise<DatabaseAnswer> {
    const [server, tables] = await Promise.all([this.store.server(), this.store.tables()]);
    return { ...server, embedded: this.settings.DATABASE_URL === '', tables };
  }

  private async redisAnswer(): Promise<RedisAnswer | null> {
    if (!this.redis) return null;
    const about = await this.redis.about();
    const { version = null, used_memory_bytes = null, clients = null, uptime_seconds = null } = about ?? {};
    return { connected: this.redis.connected, version, used_memory_bytes, clients, uptime_seconds };
  }

  private async migrations(): Promise<MigrationsAnswer> {
    const items = await this.store.migrations();
    return { known: this.known, applied: items.at(-1)?.number ?? 0, items };
  }
}

/** The last one to take over: one that has died says for a while that it leads. */
function leaderOf(replicas: ReplicaRow[]): string | null {
  const leading = replicas.filter(({ leading_since }) => leading_since !== null);
  const [leader] = leading.sort((a, b) => Date.parse(b.leading_since!) - Date.parse(a.leading_since!));
  return leader?.replica_id ?? null;
}
