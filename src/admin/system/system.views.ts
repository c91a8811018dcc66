import { ApiProperty } from '@nestjs/swagger';
import type { LogStorageState } from '../logs/log-storage.js';
import type {
  DatabaseAnswer,
  HandlerAnswer,
  HealthAnswer,
  HostAnswer,
  MigrationsAnswer,
  PoolAnswer,
  ProcessAnswer,
  RedisAnswer,
  ReplicaAnswer,
  SystemAnswer,
} from './system-answers.js';

/* What /docs and openapi.json say of the system. The classes are never made: TypeScript checks that they say what the answers hold. */

const text = (description: string, example: string) => ApiProperty({ type: String, description, example });
const maybeText = (description: string, example: string) => ApiProperty({ type: 'string', nullable: true, description, example });
const whole = (description: string, example: number) => ApiProperty({ type: 'integer', description, example });
const maybeWhole = (description: string, example: number) => ApiProperty({ type: 'integer', nullable: true, description, example });
const number = (description: string, example: number) => ApiProperty({ type: 'number', description, example });
const maybeNumber = (description: string, example: number) => ApiProperty({ type: 'number', nullable: true, description, example });
const flag = (description: string, example: boolean) => ApiProperty({ type: Boolean, description, example });
const when = (description: string) =>
  ApiProperty({ type: 'string', format: 'date-time', description, example: '2026-12-01T06:00:00.000Z' });
const maybeWhen = (description: string) =>
  ApiProperty({ type: 'string', format: 'date-time', nullable: true, description, example: '2026-12-01T06:00:00.000Z' });

const replicaName = 'host-4711-1f0c3a5e';

class SystemProcessView implements ProcessAnswer {
  @whole('Process id.', 4711)
  pid: number;

  @when('Its start.')
  started_at: string;

  @whole('Since its start, in seconds.', 86_400)
  uptime_seconds: number;

  @number('CPU time since its start, in seconds.', 120.5)
  cpu_seconds: number;

  @whole('Resident memory, in bytes.', 190_000_000)
  resident_bytes: number;

  @whole('Used JavaScript heap, in bytes.', 60_000_000)
  heap_used_bytes: number;

  @whole('JavaScript heap, in bytes.', 80_000_000)
  heap_total_bytes: number;

  @whole('Socket.IO connections.', 3)
  sockets: number;

  @whole('gRPC calls that answer with a stream, and workers.', 1)
  streams: number;

  @whole('Attempts that it runs at the same time at most.', 16)
  slots: number;

  @whole('Attempts that it runs now.', 2)
  running: number;
}

class SystemHostView implements HostAnswer {
  @text('Its name.', 'host')
  name: string;

  @text('linux, darwin or win32.', 'linux')
  platform: string;

  @text('Of the kernel.', '6.8.0')
  release: string;

  @text('Of its processor.', 'x64')
  arch: string;

  @whole('That the process may use.', 2)
  cpus: number;

  @ApiProperty({ type: [Number], description: 'Load average over 1, 5 and 15 minutes.', example: [0.5, 0.4, 0.3] })
  load: number[];

  @whole('In bytes.', 8_000_000_000)
  memory_total_bytes: number;

  @whole('In bytes.', 4_000_000_000)
  memory_free_bytes: number;

  @maybeWhole('Of the file system of DATA_DIR; null where it cannot be told.', 100_000_000_000)
  disk_total_bytes: number | null;

  @maybeWhole('Of the file system of DATA_DIR; null where it cannot be told.', 60_000_000_000)
  disk_free_bytes: number | null;

  @whole('Since its start, in seconds.', 864_000)
  uptime_seconds: number;
}

class TableView {
  @text('Its name.', 'tasks')
  name: string;

  @whole('With its indexes, in bytes.', 8_192)
  size_bytes: number;

  @whole('As the planner guesses.', 1_000)
  rows_estimate: number;
}

class SystemDatabaseView implements DatabaseAnswer {
  @flag('The one that comes with the server.', true)
  embedded: boolean;

  @text('Of PostgreSQL.', '18.4')
  version: string;

  @when('Start of the database server.')
  started_at: string;

  @whole('The whole database, in bytes.', 12_000_000)
  size_bytes: number;

  @whole('Connections to the database server, of everybody.', 14)
  connections: number;

  @whole('Connections that it takes.', 100)
  max_connections: number;

  @ApiProperty({ type: () => [TableView], description: 'The largest first, at most 100.' })
  tables: TableView[];
}

class SystemRedisView implements RedisAnswer {
  @flag('Whether it carries messages just now.', true)
  connected: boolean;

  @maybeText('Null while it is away, or does not tell.', '8.2.1')
  version: string | null;

  @maybeWhole('In bytes.', 1_500_000)
  used_memory_bytes: number | null;

  @maybeWhole('Connections, of everybody.', 4)
  clients: number | null;

  @maybeWhole('Since its start, in seconds.', 86_400)
  uptime_seconds: number | null;
}

class MigrationView {
  @whole('In order, from 1.', 1)
  number: number;

  @text('Its file.', '0001_tasks.sql')
  name: string;

  @when('When it was applied.')
  applied_at: string;
}

class MigrationsView implements MigrationsAnswer {
  @whole('The last one that this build knows.', 17)
  known: number;

  @whole('The last one that was applied; more than `known` while a newer build runs beside this one.', 17)
  applied: number;

  @ApiProperty({ type: () => [MigrationView] })
  items: MigrationView[];
}

class ReplicaView implements ReplicaAnswer {
  @text('Its name.', replicaName)
  replica_id: string;

  @ApiProperty({ type: 'string', enum: ['leader', 'follower'], description: 'The leader does the background duties.', example: 'leader' })
  role: 'leader' | 'follower';

  @maybeText('Of its build; null for one that does not tell.', '0.1.0')
  version: string | null;

  @maybeText('Where it runs.', 'host')
  host: string | null;

  @maybeWhole('Its process.', 4711)
  pid: number | null;

  @maybeWhen('Its start.')
  started_at: string | null;

  @maybeWhen('Since when it leads; null: it does not.')
  leading_since: string | null;

  @when('Its last sign of life; there is one every 15 s or sooner, and after 45 s without any it is taken for gone.')
  seen_at: string;

  @number('Seconds since then.', 3.2)
  seen_seconds_ago: number;

  @maybeWhole('The version of the configuration that it applies.', 1)
  config_version: number | null;

  @maybeNumber('p99 of how late its timers ran, in seconds; null without metrics.', 0.002)
  event_loop_lag: number | null;
}

class PoolView implements PoolAnswer {
  @ApiProperty({ type: 'string', enum: ['api', 'engine', 'loops'], description: 'Whose connections these are.', example: 'api' })
  name: string;

  @whole('Connections at most.', 10)
  max: number;

  @whole('Connections now.', 3)
  total: number;

  @whole('Connections that nobody uses just now.', 2)
  idle: number;

  @whole('Callers that wait for one.', 0)
  waiting: number;
}

class HandlerView implements HandlerAnswer {
  @text('The type of the tasks that it runs.', 'echo')
  type: string;

  @text('What it does.', 'Answers with its parameters.')
  description: string;
}

class LogStorageView implements LogStorageState {
  @whole('Lines stored since the start.', 120)
  stored: number;

  @whole('Lines not kept since the start: more than LOGS_STORED_PER_SECOND, or than can wait for the database.', 0)
  left_out: number;

  @whole('Lines that wait for the database.', 0)
  waiting: number;

  @flag('Whether the last storing has failed.', false)
  failing: boolean;
}

export class SystemView implements SystemAnswer {
  @when('Now.')
  at: string;

  @text('The replica that answers.', replicaName)
  replica_id: string;

  @text('Of its build.', '0.1.0')
  version: string;

  @text('Of Node.js.', '26.10.0')
  node_version: string;

  @ApiProperty({ type: () => SystemProcessView })
  process: SystemProcessView;

  @ApiProperty({ type: () => SystemHostView })
  host: SystemHostView;

  @ApiProperty({ type: () => SystemDatabaseView })
  database: SystemDatabaseView;

  @ApiProperty({ type: () => SystemRedisView, nullable: true, description: 'Null without REDIS_URL.' })
  redis: SystemRedisView | null;

  @ApiProperty({ type: () => MigrationsView })
  migrations: MigrationsView;

  @ApiProperty({ type: () => [ReplicaView], description: 'All of the cluster.' })
  replicas: ReplicaView[];

  @maybeText('The replica that leads; null while there is none.', replicaName)
  leader: string | null;

  @ApiProperty({ type: () => [PoolView] })
  pools: PoolView[];

  @ApiProperty({ type: () => [HandlerView] })
  handlers: HandlerView[];

  @ApiProperty({ type: () => LogStorageView, description: 'How lines of its log are stored.' })
  logs: LogStorageView;
}

class DependencyView {
  @text('What it is.', 'database')
  name: string;

  @ApiProperty({ type: 'string', enum: ['up', 'degraded', 'down'], example: 'up' })
  status: 'up' | 'degraded' | 'down';

  @number('How long its check took.', 0.8)
  latency_ms: number;

  @maybeText('A sentence; null when there is nothing to say.', 'Timers run up to 3 ms late.')
  reason: string | null;
}

export class AdminHealthView implements HealthAnswer {
  @when('Now.')
  at: string;

  @text('The replica that answers.', replicaName)
  replica_id: string;

  @ApiProperty({ type: 'string', enum: ['up', 'degraded', 'down'], description: 'The worst of all.', example: 'up' })
  status: 'up' | 'degraded' | 'down';

  @ApiProperty({ type: () => [DependencyView] })
  dependencies: DependencyView[];
}
