import { Choice, isText, namePattern, Time, Whole } from '../input/fields.js';
import { AnyOf, Cursor, LabelFilter, NumberFromQuery } from '../input/query.js';
import { taskPriorities, taskStatuses, type TaskPriority, type TaskStatus } from './task.js';

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
