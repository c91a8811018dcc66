import { Choice, namePattern, Text, Texts, TextValue, Time, Whole } from '../../input/fields.js';

/* What each action takes, as `parameters`. */

const replicaPattern = /^[\w.-]{1,100}$/;

export class NoParametersDto {}

class ReasonDto {
  @Text({ max: 500, optional: true, description: 'Why, for those who read the history.', example: 'The database moves.' })
  reason?: string;
}

class BoxedDto extends ReasonDto {
  @Whole({ min: 1, max: 2_592_000, optional: true, description: 'After so long it takes itself back. Absent: it stays.', example: 900 })
  expires_in_seconds?: number;
}

export class PauseDto extends BoxedDto {}

export class ResumeDto extends ReasonDto {}

export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

export class LogLevelDto extends BoxedDto {
  @Choice({ values: logLevels, description: 'Least severe level that is logged.', example: 'debug' })
  level: (typeof logLevels)[number];
}

const replica = {
  max: 100,
  accepts: 'the id of a replica that runs, such as host-4711-1f0c3a5e',
  test: (value: string) => replicaPattern.test(value),
  example: 'host-4711-1f0c3a5e',
};

export class ReplicaDto {
  @TextValue({ ...replica, description: 'Which replica.' })
  replica_id: string;
}

export class MaybeReplicaDto {
  @TextValue({ ...replica, optional: true, description: 'Which replica. Absent: the one that is asked.' })
  replica_id?: string;
}

export class ProfileDto extends MaybeReplicaDto {
  @Whole({ min: 1, max: 60, optional: true, default: 10, description: 'How long.', example: 10 })
  seconds: number = 10;
}

const purgeable = ['pending', 'scheduled', 'blocked', 'queued', 'completed', 'failed', 'cancelled'] as const;
export type PurgeableStatus = (typeof purgeable)[number];
const names = { optional: true, min: 1, max: 40, test: (value: string) => namePattern.test(value) };

export class PurgeDto {
  @Texts({
    min: 1,
    max: purgeable.length,
    accepts: `of ${purgeable.join(', ')}; tasks that run are cancelled first`,
    test: (value) => (purgeable as readonly string[]).includes(value),
    description: `In one of these states: ${purgeable.join(', ')}.`,
    example: ['completed'],
  })
  status: PurgeableStatus[];

  @Texts({ ...names, accepts: 'names of task types', description: 'Of one of these types.', example: ['echo'] })
  type?: string[];

  @Texts({ ...names, accepts: 'names of queues', description: 'In one of these queues.', example: ['default'] })
  queue?: string[];

  @Time({ optional: true, description: 'Finished before this time.', example: '2026-11-01T00:00:00.000Z' })
  finished_before?: string;

  @Time({ optional: true, description: 'Created before this time.', example: '2026-11-01T00:00:00.000Z' })
  created_before?: string;

  @TextValue({
    max: 100,
    optional: true,
    accepts: 'the name of a tenant',
    test: (value) => namePattern.test(value),
    description: 'Whose tasks. Absent: those of who asks; only root may name another.',
    example: 'default',
  })
  tenant_id?: string;
}

const tablePattern = /^[a-z][a-z0-9_]{0,62}$/;

export class TablesDto {
  @Texts({
    optional: true,
    min: 1,
    max: 50,
    accepts: 'names of tables of the server',
    test: (value) => tablePattern.test(value),
    description: 'Which tables. Absent: all.',
    example: ['tasks', 'events'],
  })
  tables?: string[];
}

export class RotateDto {
  @Whole({
    min: 0,
    max: 604_800,
    optional: true,
    default: 3_600,
    description: 'So long the tokens that hold now go on to hold.',
    example: 3_600,
  })
  overlap_seconds: number = 3_600;
}

export const parameterDtos = [
  NoParametersDto,
  PauseDto,
  ResumeDto,
  LogLevelDto,
  ReplicaDto,
  MaybeReplicaDto,
  ProfileDto,
  PurgeDto,
  TablesDto,
  RotateDto,
] as const;
