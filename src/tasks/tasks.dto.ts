import { ApiProperty } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { ArrayMaxSize, ArrayMinSize, IsArray, IsObject, ValidateIf, ValidateNested } from 'class-validator';
import { Raw } from '../input/validate.js';
import { Choice, Decimal, Flag, FreeJsonObject, Labels, Name, Text, Time, Whole } from '../input/fields.js';
import { backoffKinds, taskPriorities, type Backoff, type JsonObject, type TaskPriority } from './task.js';

const exampleParameters = { url: 'https://example.com/report', method: 'POST' };

export class BackoffDto implements Partial<Backoff> {
  @Choice({
    values: backoffKinds,
    optional: true,
    default: 'exponential',
    description: 'How the wait grows from attempt to attempt.',
    example: 'exponential',
  })
  kind?: Backoff['kind'];

  @Decimal({ min: 0, max: 86_400, optional: true, default: 1, description: 'Seconds before the second attempt.', example: 1 })
  delay_seconds?: number;

  @Decimal({ min: 0, max: 604_800, optional: true, default: 300, description: 'No wait is longer than this many seconds.', example: 300 })
  max_delay_seconds?: number;

  @Decimal({ min: 0, max: 1, optional: true, default: 0.2, description: 'Share of the wait that is random.', example: 0.2 })
  jitter?: number;
}

function BackoffField(): PropertyDecorator {
  return (target, key) => {
    ApiProperty({ type: () => BackoffDto, required: false, description: 'How long a failed attempt waits before the next.' })(target, key);
    ValidateIf((_, value: unknown) => value !== undefined)(target, key);
    // ValidateNested alone would take a list for a list of objects.
    IsObject({ message: 'must be a JSON object' })(target, key);
    ValidateNested({ message: 'must be a JSON object' })(target, key);
    Type(() => BackoffDto)(target, key);
  };
}

class OptionalFields {
  @Name({ optional: true, description: 'Which handler runs it. Default: the setting TASKS_DEFAULT_TYPE.', example: 'http.request' })
  type?: string;

  @Name({ optional: true, default: 'default', description: 'The line in which it waits.', example: 'default' })
  queue?: string;

  @Choice({
    values: taskPriorities,
    optional: true,
    default: 'medium',
    description: 'More urgent tasks are claimed first.',
    example: 'medium',
  })
  priority?: TaskPriority;

  @FreeJsonObject({
    optional: true,
    default: {},
    description: "The handler's input: at most 256 KiB and 32 levels deep. Checked against the handler's own schema.",
    example: exampleParameters,
  })
  parameters?: JsonObject;

  @Whole({ min: 1, max: 100, optional: true, description: "Attempts before it fails. Default: the handler's, else 1.", example: 3 })
  max_attempts?: number;

  @Whole({
    min: 1,
    max: 86_400,
    optional: true,
    description: "Seconds an attempt may take. Default: the handler's, else 300.",
    example: 300,
  })
  timeout_seconds?: number;

  @BackoffField()
  backoff?: BackoffDto;

  @Time({ optional: true, nullable: true, description: 'Not before this time. Implies start: auto.', example: '2026-12-01T06:00:00.000Z' })
  run_at?: string | null;
}

/** Fields that create takes, and that PUT replaces: a field that is absent gets its default. */
export class TaskFieldsDto extends OptionalFields {
  @Text({ max: 255, description: 'What people call this task.', example: 'Weekly report' })
  name: string;

  @Labels({ optional: true, default: {}, description: 'Your own key-value pairs, to filter by.', example: { team: 'reporting' } })
  labels?: Record<string, string>;
}

export class CreateTaskDto extends TaskFieldsDto {
  @Choice({
    values: ['manual', 'auto'],
    optional: true,
    default: 'manual',
    description: '`manual` leaves it pending until POST /tasks/{id}/execute; `auto` queues it at once.',
    example: 'auto',
  })
  start?: 'manual' | 'auto';
}

/**
 * A JSON merge patch (RFC 7396): a field that is absent stays as it is; objects merge, and null removes a key of
 * `parameters` or `labels`.
 */
export class PatchTaskDto extends OptionalFields {
  @Text({ max: 255, optional: true, description: 'What people call this task.', example: 'Weekly report' })
  name?: string;

  @Labels({ optional: true, removable: true, description: 'Labels to set; null removes one.', example: { team: 'reporting' } })
  labels?: Record<string, string | null>;
}

export const bulkLimit = 1_000;

export class BulkCreateDto {
  @ApiProperty({ type: () => [CreateTaskDto], minItems: 1, maxItems: bulkLimit, description: 'Tasks to create, each as for POST /tasks.' })
  @IsArray({ message: `must be a list of 1 to ${bulkLimit} tasks` })
  @ArrayMinSize(1, { message: `must be a list of 1 to ${bulkLimit} tasks` })
  @ArrayMaxSize(bulkLimit, { message: `must be a list of 1 to ${bulkLimit} tasks` })
  // As they came: each is checked on its own, so that one bad task does not refuse the others.
  @Raw()
  tasks: unknown[];

  @Flag({ optional: true, default: false, description: 'All or nothing: one bad task refuses them all.', example: false })
  atomic?: boolean;
}
