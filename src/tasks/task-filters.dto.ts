import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { registerDecorator, ValidateIf } from 'class-validator';
import { Choice, isText, namePattern, Time, Whole } from '../input/fields.js';
import { Cursor, LabelFilter, maxAlternatives, NumberFromQuery } from '../input/query.js';
import { taskPriorities, taskStatuses, type TaskPriority, type TaskStatus } from './task.js';

/** `a,b` and `x=a&x=b` both mean a or b. */
function alternatives(value: unknown, form?: 'NFC'): unknown {
  const parts = Array.isArray(value) ? (value as unknown[]) : [value];
  if (!parts.every((part) => typeof part === 'string')) return value;
  const trimmed = parts.flatMap((part) => part.split(',')).map((part) => part.trim());
  return form ? trimmed.map((part) => part.normalize(form)) : trimmed;
}

/** A filter that takes one or more values; more than one means OR. `accepts` completes "must be …". */
function AnyOf(options: {
  description: string;
  example: string;
  values?: readonly string[];
  accepts: string;
  form?: 'NFC';
  test(value: string): boolean;
}) {
  const { description, example, values, accepts, form, test } = options;
  return applyDecorators(
    ApiProperty({
      required: false,
      type: 'array',
      items: { type: 'string', ...(values && { enum: [...values] }) },
      description,
      example: [example],
    }),
    ValidateIf((_, value: unknown) => value !== undefined),
    Transform(({ value }: { value: unknown }) => alternatives(value, form)),
    (target: object, propertyName: string | symbol) =>
      registerDecorator({
        name: 'anyOf',
        target: target.constructor,
        propertyName: propertyName as string,
        options: { message: `must be 1 to ${maxAlternatives} of these, separated by commas: ${accepts}` },
        validator: {
          validate: (value: unknown) =>
            Array.isArray(value) &&
            value.length >= 1 &&
            value.length <= maxAlternatives &&
            value.every((item) => typeof item === 'string' && test(item)),
        },
      }),
  );
}

/** What lists and subscriptions can be narrowed by. All given filters must hold. */
export class TaskFiltersDto {
  @AnyOf({
    description: 'In one of these states.',
    example: 'queued',
    values: taskStatuses,
    accepts: taskStatuses.join(', '),
    test: (value) => (taskStatuses as readonly string[]).includes(value),
  })
  status?: TaskStatus[];

  @AnyOf({
    description: 'Of one of these types.',
    example: 'http.request',
    accepts: 'names of task types',
    test: (value) => namePattern.test(value),
  })
  type?: string[];

  @AnyOf({
    description: 'In one of these queues.',
    example: 'default',
    accepts: 'names of queues',
    test: (value) => namePattern.test(value),
  })
  queue?: string[];

  @AnyOf({
    description: 'Of one of these priorities.',
    example: 'high',
    values: taskPriorities,
    accepts: taskPriorities.join(', '),
    test: (value) => (taskPriorities as readonly string[]).includes(value),
  })
  priority?: TaskPriority[];

  @AnyOf({
    description: 'With exactly one of these names.',
    example: 'Weekly report',
    accepts: 'names of tasks',
    form: 'NFC',
    test: (value) => value.length > 0 && [...value].length <= 255 && isText(value),
  })
  name?: string[];

  @LabelFilter()
  label?: string[];
}

export class ListTasksDto extends TaskFiltersDto {
  @Time({ optional: true, description: 'Created at this time or later.', example: '2026-11-01T00:00:00.000Z' })
  created_after?: string;

  @Time({ optional: true, description: 'Created before this time.', example: '2026-12-01T00:00:00.000Z' })
  created_before?: string;

  @Choice({ values: ['desc', 'asc'], optional: true, default: 'desc', description: '`desc` is newest first.', example: 'desc' })
  order: 'asc' | 'desc' = 'desc';

  @NumberFromQuery()
  @Whole({
    min: 1,
    max: 200,
    optional: true,
    default: 50,
    description: 'At most this many; a page of very large tasks may be shorter.',
    example: 50,
  })
  limit: number = 50;

  @Cursor()
  cursor?: string;
}

/** Pages of attempts, logs and events: oldest first, the cursor is a number. */
export class HistoryPageDto {
  @NumberFromQuery()
  @Whole({ min: 1, max: 200, optional: true, default: 50, description: 'At most this many.', example: 50 })
  limit: number = 50;

  @NumberFromQuery()
  @Whole({ min: 0, max: Number.MAX_SAFE_INTEGER, optional: true, description: 'The `next_cursor` of the page before.', example: 17 })
  cursor?: number;
}

export class WaitDto {
  @NumberFromQuery()
  @Whole({
    min: 0,
    max: 60,
    optional: true,
    description: 'Answer when the task is finished, or after this many seconds with 202.',
    example: 10,
  })
  wait?: number;
}
