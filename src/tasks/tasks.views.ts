import { ApiProperty, ApiSchema, OmitType, PartialType } from '@nestjs/swagger';
import { taskActions, type TaskAction, type TaskEventView } from '../events/events.js';
import { anyJson, FieldProblem } from '../transport/openapi.js';
import {
  backoffKinds,
  cancelStates,
  taskPriorities,
  taskStatuses,
  type Backoff,
  type CancelState,
  type Json,
  type JsonObject,
  type Task,
  type TaskError,
  type TaskPriority,
  type TaskStatus,
} from './task.js';
import type { AttemptView, LogView } from './tasks.store.js';

/*
 * What the REST door answers, as OpenAPI schemas. The classes are never made: TypeScript checks that they say what the
 * views hold.
 */

const id = '0198f3c2-7d1e-7a55-9b5e-3f0c8a1d2e4b';
const time = '2026-11-22T15:04:05.678Z';
const at = (description: string) => ({ type: 'string', format: 'date-time', nullable: true, description, example: time }) as const;

export class TaskErrorView implements TaskError {
  @ApiProperty({ type: String, description: 'UPPER_SNAKE_CASE, stable, for programs.', example: 'HTTP_STATUS' })
  code: string;

  @ApiProperty({ type: String, description: 'A sentence for people.', example: 'The server answered 404.' })
  message: string;

  @ApiProperty({ type: Boolean, description: 'Whether another attempt could have helped.', example: false })
  retryable: boolean;

  @ApiProperty({ type: 'integer', description: 'The attempt that failed.', example: 1 })
  attempt: number;
}

export class BackoffView implements Backoff {
  @ApiProperty({ type: 'string', enum: backoffKinds, example: 'exponential' })
  kind: Backoff['kind'];

  @ApiProperty({ type: Number, description: 'Seconds before the second attempt.', example: 1 })
  delay_seconds: number;

  @ApiProperty({ type: Number, description: 'No wait is longer than this many seconds.', example: 300 })
  max_delay_seconds: number;

  @ApiProperty({ type: Number, description: 'Share of the wait that is random, 0 to 1.', example: 0.2 })
  jitter: number;
}

export class TaskView implements Task {
  @ApiProperty({ type: 'string', format: 'uuid', description: 'UUIDv7: sorts by time of creation.', example: id })
  id: string;

  @ApiProperty({ type: String, example: 'default' })
  tenant_id: string;

  @ApiProperty({ type: String, example: 'Weekly report' })
  name: string;

  @ApiProperty({ type: String, description: 'The handler that runs it.', example: 'http.request' })
  type: string;

  @ApiProperty({ type: String, example: 'default' })
  queue: string;

  @ApiProperty({ type: 'string', enum: taskPriorities, example: 'medium' })
  priority: TaskPriority;

  @ApiProperty({ type: 'string', enum: taskStatuses, example: 'completed' })
  status: TaskStatus;

  @ApiProperty({ type: 'object', additionalProperties: true, example: { seconds: 1 } })
  parameters: JsonObject;

  @ApiProperty({ type: 'object', additionalProperties: { type: 'string' }, example: { team: 'reporting' } })
  labels: Record<string, string>;

  @ApiProperty({ ...anyJson, description: 'What the handler returned; null until completed.', example: { slept_seconds: 1 } })
  result: Json;

  @ApiProperty({ nullable: true, allOf: [{ $ref: '#/components/schemas/TaskErrorView' }], description: 'Why the latest attempt failed.' })
  error: TaskError | null;

  @ApiProperty({ type: Number, minimum: 0, maximum: 100, description: 'Percent.', example: 100 })
  progress: number;

  @ApiProperty({ type: String, nullable: true, example: null })
  progress_message: string | null;

  @ApiProperty({ type: 'integer', description: 'Attempts started so far.', example: 1 })
  attempt: number;

  @ApiProperty({ type: 'integer', example: 1 })
  max_attempts: number;

  @ApiProperty({ type: 'integer', description: 'Seconds one attempt may take.', example: 300 })
  timeout_seconds: number;

  @ApiProperty({ type: BackoffView })
  backoff: Backoff;

  @ApiProperty(at('Not before this time.'))
  run_at: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'Who runs or ran the latest attempt.', example: 'host-4711-3f0c8a1d' })
  worker_id: string | null;

  @ApiProperty({
    type: 'string',
    enum: [...cancelStates, null],
    nullable: true,
    description:
      'How far a cancel of a running task has come: `delivered` to its worker, `stopped` by it, or `ignored` and ended by force.',
    example: null,
  })
  cancel_state: CancelState | null;

  @ApiProperty({ type: String, description: 'Name of the principal that created it.', example: 'root' })
  created_by: string;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'The trace that it belongs to, when the request that created it had one.',
    example: '4bf92f3577b34da6a3ce929d0e0e4736',
  })
  trace_id: string | null;

  @ApiProperty({ type: 'string', format: 'date-time', example: time })
  created_at: string;

  @ApiProperty({ type: 'string', format: 'date-time', example: time })
  updated_at: string;

  @ApiProperty(at('When it last joined its queue.'))
  queued_at: string | null;

  @ApiProperty(at('When its latest attempt started.'))
  started_at: string | null;

  @ApiProperty(at('When it completed, failed or was cancelled.'))
  finished_at: string | null;

  @ApiProperty({ type: 'integer', description: 'Grows with every change; the ETag.', example: 4 })
  version: number;
}

export class TaskPage {
  @ApiProperty({ type: [TaskView] })
  items: Task[];

  @ApiProperty({
    type: 'string',
    format: 'uuid',
    nullable: true,
    description: 'Send it as `cursor` for the next page; null on the last.',
    example: id,
  })
  next_cursor: string | null;
}

@ApiSchema({ name: 'AttemptView' })
export class AttemptSchema implements AttemptView {
  @ApiProperty({ type: 'integer', description: 'From 1.', example: 1 })
  attempt: number;

  @ApiProperty({
    type: 'string',
    enum: ['running', 'cancelling', 'completed', 'failed', 'cancelled', 'lost', 'released'],
    example: 'completed',
  })
  status: AttemptView['status'];

  @ApiProperty({ type: String, example: 'host-4711-3f0c8a1d' })
  worker_id: string;

  @ApiProperty({ type: 'string', format: 'date-time', example: time })
  started_at: string;

  @ApiProperty(at('Null while it runs.'))
  finished_at: string | null;

  @ApiProperty({ nullable: true, allOf: [{ $ref: '#/components/schemas/TaskErrorView' }] })
  error: TaskError | null;
}

const logLevels = ['debug', 'info', 'warn', 'error'];

const nextNumber = {
  type: 'integer',
  nullable: true,
  description: 'Send it as `cursor` for the next page; null on the last.',
  example: 17,
} as const;

export class AttemptPage {
  @ApiProperty({ type: [AttemptSchema] })
  items: AttemptView[];

  @ApiProperty(nextNumber)
  next_cursor: number | null;
}

@ApiSchema({ name: 'LogView' })
export class LogSchema implements LogView {
  @ApiProperty({ type: 'integer', example: 17 })
  id: number;

  @ApiProperty({ type: 'integer', example: 1 })
  attempt: number;

  @ApiProperty({ type: 'string', enum: logLevels, example: 'info' })
  level: LogView['level'];

  @ApiProperty({ type: String, example: 'Request sent' })
  message: string;

  @ApiProperty({ ...anyJson, example: null })
  data: Json;

  @ApiProperty({ type: 'string', format: 'date-time', example: time })
  at: string;
}

export class LogPage {
  @ApiProperty({ type: [LogSchema] })
  items: LogView[];

  @ApiProperty(nextNumber)
  next_cursor: number | null;
}

class EventLogLine {
  @ApiProperty({ type: 'string', enum: logLevels, example: 'info' })
  level: string;

  @ApiProperty({ type: String, example: 'Request sent' })
  message: string;

  @ApiProperty({ ...anyJson, required: false, example: { status: 200 } })
  data?: Json;
}

const notInEvents = [
  'id',
  'tenant_id',
  'cancel_state',
  'trace_id',
  'parameters',
  'result',
  'timeout_seconds',
  'backoff',
  'updated_at',
] as const;

/** The task as it was at the event; fields that were null are absent. */
export class EventView extends PartialType(OmitType(TaskView, notInEvents)) implements TaskEventView {
  @ApiProperty({ type: 'integer', description: 'Grows over the whole cluster; the number to resume from.', example: 4711 })
  seq: number;

  @ApiProperty({ type: 'string', enum: taskActions, example: 'task_completed' })
  action: TaskAction;

  @ApiProperty({ type: 'string', format: 'date-time', example: time })
  at: string;

  @ApiProperty({ type: 'string', format: 'uuid', description: 'The task.', example: id })
  id: string;

  @ApiProperty({ type: EventLogLine, required: false, description: 'The line, of `task_log` alone.' })
  log?: EventLogLine;
}

export class EventPage {
  @ApiProperty({ type: [EventView] })
  items: EventView[];

  @ApiProperty(nextNumber)
  next_cursor: number | null;
}

export class BulkItemError {
  @ApiProperty({ type: String, example: 'VALIDATION_FAILED' })
  code: string;

  @ApiProperty({ type: String, example: 'name: must be text of 1 to 255 characters without control characters' })
  detail: string;

  @ApiProperty({ type: [FieldProblem] })
  errors: FieldProblem[];
}

export class BulkItemView {
  @ApiProperty({ type: 'integer', description: 'Place in the request, from 0.', example: 0 })
  index: number;

  @ApiProperty({ type: TaskView, required: false, description: 'The task, when it was created.' })
  task?: Task;

  @ApiProperty({ type: BulkItemError, required: false, description: 'Why it was not.' })
  error?: BulkItemError;
}

export class BulkResultView {
  @ApiProperty({ type: 'integer', example: 1 })
  created: number;

  @ApiProperty({ type: 'integer', example: 0 })
  failed: number;

  @ApiProperty({ type: [BulkItemView] })
  items: BulkItemView[];
}
