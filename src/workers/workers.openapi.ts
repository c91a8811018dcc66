import { applyDecorators } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiProperty, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { ErrorCode } from '../errors/error-codes.js';
import { taskPriorities, type JsonObject, type TaskPriority } from '../tasks/task.js';
import { alwaysPossible, Problems, withBody } from '../transport/openapi.js';
import type { Assignment, BeatAck, SettledTask, WorkerLease, WorkerView } from './worker.js';
import { LeaseView } from './workers.dto.js';
import type { Polled } from './workers.service.js';

/*
 * What /docs and openapi.json say of workers. The classes are never made: TypeScript checks that they say what the views hold.
 */

const object = { type: 'object', additionalProperties: true } as const;
const labels = { type: 'object', additionalProperties: { type: 'string' }, example: { region: 'eu' } } as const;
const time = (description: string) => ({ type: 'string', format: 'date-time', description, example: '2026-11-22T15:04:05.678Z' }) as const;

class WorkerSchema implements WorkerView {
  @ApiProperty({ type: String, description: 'Name and instance; the `worker_id` of tasks.', example: 'reports@4c1f09d2b7aa' })
  id: string;

  @ApiProperty({ type: String, example: 'reports' })
  name: string;

  @ApiProperty({
    type: 'string',
    enum: ['connected', 'draining', 'gone'],
    description: '`gone`: its connection broke.',
    example: 'connected',
  })
  state: WorkerView['state'];

  @ApiProperty({ type: 'string', enum: ['grpc', 'http'], example: 'grpc' })
  door: WorkerView['door'];

  @ApiProperty({ type: String, description: 'The replica it is connected to.', example: 'host-4711-3f0c8a1d' })
  replica_id: string;

  @ApiProperty({ type: [String], example: ['report.render'] })
  types: string[];

  @ApiProperty({ type: [String], description: 'None means all.', example: [] })
  queues: string[];

  @ApiProperty({ type: 'integer', description: 'Attempts it can run at the same time.', example: 10 })
  slots: number;

  @ApiProperty({ type: 'integer', description: 'Attempts it runs.', example: 3 })
  in_flight: number;

  @ApiProperty(labels)
  labels: Record<string, string>;

  @ApiProperty({ type: String, nullable: true, description: 'What it is made with.', example: 'arkitect-rust/0.1.0' })
  sdk: string | null;

  @ApiProperty(time('When it connected.'))
  connected_at: string;

  @ApiProperty(time('When it was last heard of.'))
  last_beat_at: string;
}

class WorkerList {
  @ApiProperty({ type: [WorkerSchema] })
  items: WorkerSchema[];
}

class AssignmentView implements Assignment {
  @ApiProperty({ type: LeaseView, description: 'Send it with all that you say of the task.' })
  lease: WorkerLease;

  @ApiProperty({ type: String, example: 'default' })
  tenant_id: string;

  @ApiProperty({ type: String, example: 'Weekly report' })
  name: string;

  @ApiProperty({ type: String, example: 'report.render' })
  type: string;

  @ApiProperty({ type: String, example: 'default' })
  queue: string;

  @ApiProperty({ type: 'string', enum: taskPriorities, example: 'medium' })
  priority: TaskPriority;

  @ApiProperty(labels)
  labels: Record<string, string>;

  @ApiProperty({ ...object, example: { pages: 12 } })
  parameters: JsonObject;

  @ApiProperty({ type: 'integer', example: 3 })
  max_attempts: number;

  @ApiProperty({ type: 'integer', description: 'Seconds this attempt may take; the worker enforces it.', example: 300 })
  timeout_seconds: number;

  @ApiProperty({ ...object, nullable: true, description: 'What the attempt before it has kept.', example: null })
  checkpoint: JsonObject | null;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'The trace that the attempt belongs to (W3C trace context); send it on to whatever you call.',
    example: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  })
  traceparent: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'What goes with it.', example: null })
  tracestate: string | null;
}

class PolledView implements Polled {
  @ApiProperty({ type: String, example: 'reports@4c1f09d2b7aa' })
  worker_id: string;

  @ApiProperty({ type: 'integer', description: 'A beat is due this often, in milliseconds, while something runs.', example: 5_000 })
  heartbeat_ms: number;

  @ApiProperty({ type: 'integer', description: 'Without a beat for so long, in milliseconds, the leases are gone.', example: 20_000 })
  lease_ms: number;

  @ApiProperty({ type: [AssignmentView], description: 'They have begun: their time runs.' })
  tasks: Assignment[];
}

class BeatAckView implements BeatAck {
  @ApiProperty({ type: 'integer', description: 'How many leases are renewed.', example: 1 })
  ok: number;

  @ApiProperty({ type: [LeaseView], description: 'Not yours any more: stop them, their results would be refused.' })
  lost: WorkerLease[];

  @ApiProperty({ type: [LeaseView], description: 'To be stopped.' })
  cancel: WorkerLease[];
}

class SettledView implements Omit<SettledTask, 'message'> {
  @ApiProperty({ type: String, format: 'uuid', example: '0198f3c2-7d1e-7a55-9b5e-3f0c8a1d2e4b' })
  task_id: string;

  @ApiProperty({
    type: 'string',
    enum: ['completed', 'failed', 'cancelled', 'queued', 'scheduled'],
    description: 'Where the result left the task; queued and scheduled: for another attempt.',
    example: 'completed',
  })
  status: string;
}

function route(
  summary: string,
  description: string,
  status: number,
  view: (new () => object) | undefined,
  problems: ErrorCode[],
  ...extra: MethodDecorator[]
) {
  return applyDecorators(
    ApiTags('workers'),
    ApiOperation({ summary, description }),
    ApiResponse({ status, description: view ? 'The answer.' : 'Done.', ...(view && { type: view }) }),
    Problems(...problems, ...alwaysPossible),
    ...extra,
  );
}

const ofWorker = ApiParam({ name: 'id', description: 'The worker.', schema: { type: 'string' }, example: 'reports@4c1f09d2b7aa' });
const onWorker: ErrorCode[] = ['VALIDATION_FAILED', 'NOT_FOUND'];

export const Documented = {
  list: route('List workers', 'Those that are connected, of all replicas, oldest connection first.', 200, WorkerList, []),
  poll: route(
    'Ask for tasks',
    'Answers as soon as there are some, or after `wait_seconds` without any. For workers that have HTTP alone.',
    200,
    PolledView,
    withBody,
  ),
  beat: route('Keep leases alive', 'What is not listed is not kept alive. Send one every `heartbeat_ms`.', 200, BeatAckView, withBody),
  complete: route('Hand in a result', 'It is stored when the answer comes.', 200, SettledView, [...withBody, 'LEASE_LOST']),
  fail: route('Report a failure', 'Whether another attempt follows is in the answer.', 200, SettledView, [...withBody, 'LEASE_LOST']),
  log: route('Keep log lines', 'Of attempts that run; lines of lost leases are dropped.', 204, undefined, withBody),
  drain: route('Drain a worker', 'It gets no more tasks; what it runs it may finish.', 204, undefined, onWorker, ofWorker),
  disconnect: route(
    'Disconnect a worker',
    'Its stream ends at once, and its tasks go back to their queues.',
    204,
    undefined,
    onWorker,
    ofWorker,
  ),
};
