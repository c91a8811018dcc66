import { applyDecorators } from '@nestjs/common';
import {
  ApiBody,
  ApiConsumes,
  ApiExtraModels,
  ApiHeader,
  ApiOperation,
  ApiParam,
  ApiProduces,
  ApiResponse,
  ApiTags,
  getSchemaPath,
} from '@nestjs/swagger';
import type { ErrorCode } from '../errors/error-codes.js';
import { alwaysPossible, Problems, withBody } from '../transport/openapi.js';
import { BulkCreateDto, CreateTaskDto, PatchTaskDto, TaskFieldsDto } from './tasks.dto.js';
import { AttemptPage, BulkResultView, EventPage, EventView, LogPage, TaskErrorView, TaskPage, TaskView } from './tasks.views.js';

type View = new () => object;

const etag = {
  ETag: { required: true, description: 'The version of the task; send it as If-Match.', schema: { type: 'string', example: '"1"' } },
} as const;
const replayed = {
  'Idempotency-Replayed': { description: '`true` when this is the first answer again.', schema: { type: 'string', enum: ['true'] } },
} as const;

interface Route {
  summary: string;
  description?: string;
  answers: Record<
    number,
    { description: string; view?: View; headers?: Record<string, { required?: boolean; description: string; schema: object }> }
  >;
  problems?: ErrorCode[];
  extra?: MethodDecorator[];
}

function route({ summary, description, answers, problems = [], extra = [] }: Route): MethodDecorator {
  return applyDecorators(
    ApiTags('tasks'),
    ApiExtraModels(TaskErrorView),
    ApiOperation({ summary, description: description ?? `${summary}.` }),
    ...Object.entries(answers).map(([status, { view, ...answer }]) =>
      ApiResponse({ status: Number(status), ...answer, ...(view && { type: view }) }),
    ),
    Problems(...problems, ...alwaysPossible),
    ...extra,
  );
}

const ofTask = ApiParam({
  name: 'id',
  description: 'The task.',
  schema: { type: 'string', format: 'uuid' },
  example: '0198f3c2-7d1e-7a55-9b5e-3f0c8a1d2e4b',
});
const ifMatch = ApiHeader({
  name: 'If-Match',
  required: false,
  description: 'Change only this version of the task.',
  schema: { type: 'string', example: '"1"' },
});
const idempotencyKey = ApiHeader({
  name: 'Idempotency-Key',
  required: false,
  description: 'A repetition with the same key and body gets the first answer again. 1 to 255 printable characters.',
  schema: { type: 'string', maxLength: 255, example: 'order-4711' },
});

const aTask = { description: 'The task.', view: TaskView, headers: etag };
const stillRunning = { description: 'Not finished within `wait` seconds; the task as it is.', view: TaskView, headers: etag };
const changing: ErrorCode[] = ['VALIDATION_FAILED', 'NOT_FOUND', 'CONFLICT'];

/** What `/docs` and `openapi.json` say of each route of `TasksController`. */
export const Documented = {
  create: route({
    summary: 'Create a task',
    description: 'It is `pending` until it is executed, unless `start` is `auto` or `run_at` is given.',
    answers: {
      201: { ...aTask, headers: { ...etag, Location: { description: 'Where the task is.', schema: { type: 'string' } } } },
      202: stillRunning,
    },
    problems: [...withBody, 'IDEMPOTENCY_KEY_REUSED'],
    extra: [idempotencyKey, ApiBody({ type: CreateTaskDto })],
  }),
  createBulk: route({
    summary: 'Create up to 1,000 tasks',
    description:
      'Each item stands for itself, and a bad one is answered with its errors beside the others (207). With `atomic` one bad item refuses all.',
    answers: {
      201: { description: 'All were created.', view: BulkResultView, headers: replayed },
      207: { description: 'Some were not created.', view: BulkResultView, headers: replayed },
    },
    problems: [...withBody, 'IDEMPOTENCY_KEY_REUSED'],
    extra: [idempotencyKey, ApiBody({ type: BulkCreateDto })],
  }),
  list: route({
    summary: 'List tasks',
    description: 'Newest first. Filters combine with AND, values separated by commas with OR.',
    answers: { 200: { description: 'One page.', view: TaskPage } },
    problems: ['VALIDATION_FAILED'],
  }),
  get: route({ summary: 'Read a task', answers: { 200: aTask }, problems: ['VALIDATION_FAILED', 'NOT_FOUND'], extra: [ofTask] }),
  replace: route({
    summary: 'Replace a task',
    description: 'Sets every editable field; absent ones get their default. Only before the first attempt.',
    answers: { 200: aTask },
    problems: [...withBody, 'NOT_FOUND', 'CONFLICT', 'VERSION_MISMATCH'],
    extra: [ofTask, ifMatch, ApiBody({ type: TaskFieldsDto })],
  }),
  patch: route({
    summary: 'Change a task',
    description: 'A JSON merge patch (RFC 7396) over the editable fields. Only before the first attempt.',
    answers: { 200: aTask },
    problems: [...withBody, 'NOT_FOUND', 'CONFLICT', 'VERSION_MISMATCH'],
    extra: [ofTask, ifMatch, ApiConsumes('application/json', 'application/merge-patch+json'), ApiBody({ type: PatchTaskDto })],
  }),
  delete: route({
    summary: 'Delete a task',
    description: 'With its attempts and logs. A running task is refused: cancel it first.',
    answers: { 204: { description: 'It is gone.' } },
    problems: [...changing, 'VERSION_MISMATCH'],
    extra: [ofTask, ifMatch],
  }),
  execute: route({
    summary: 'Execute a pending task',
    description: 'Puts it into its queue. With `wait` the answer comes when it is finished.',
    answers: { 200: aTask, 202: stillRunning },
    problems: changing,
    extra: [ofTask],
  }),
  cancel: route({
    summary: 'Cancel a task',
    description:
      'A waiting task is cancelled at once. A running one is `cancelling`: its handler is told to stop, and has a grace period to do so.',
    answers: { 200: aTask },
    problems: changing,
    extra: [ofTask],
  }),
  retry: route({
    summary: 'Retry a failed or cancelled task',
    description: 'Queues it again with a fresh attempt budget.',
    answers: { 200: aTask },
    problems: changing,
    extra: [ofTask],
  }),
  attempts: route({
    summary: 'List the attempts of a task',
    answers: { 200: { description: 'One page, oldest first.', view: AttemptPage } },
    problems: ['VALIDATION_FAILED', 'NOT_FOUND'],
    extra: [ofTask],
  }),
  logs: route({
    summary: 'List the log lines of a task',
    answers: { 200: { description: 'One page, oldest first.', view: LogPage } },
    problems: ['VALIDATION_FAILED', 'NOT_FOUND'],
    extra: [ofTask],
  }),
  events: route({
    summary: 'Read or follow the events of a task',
    description:
      'JSON pages, oldest first; or, for callers that accept `text/event-stream`, everything after `Last-Event-ID` and then each event as it happens. ' +
      'An event `reset` comes first when the log does not reach back that far: read the task again.',
    answers: {},
    problems: ['VALIDATION_FAILED', 'NOT_FOUND'],
    extra: [
      ofTask,
      ApiHeader({
        name: 'Last-Event-ID',
        required: false,
        description: 'For streams: the last event you have seen.',
        schema: { type: 'string', example: '4711' },
      }),
      ApiProduces('application/json', 'text/event-stream'),
      ApiExtraModels(EventPage, EventView),
      ApiResponse({
        status: 200,
        description: 'One page, or the stream.',
        content: {
          'application/json': { schema: { $ref: getSchemaPath(EventPage) } },
          'text/event-stream': {
            schema: { type: 'string', example: 'id: 4711\nevent: task_completed\ndata: {"seq":4711,"action":"task_completed"}\n\n' },
          },
        },
      }),
    ],
  }),
};
