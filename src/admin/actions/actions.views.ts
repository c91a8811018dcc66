import { ApiProperty } from '@nestjs/swagger';
import type { Json, JsonObject } from '../../tasks/task.js';
import { anyJson, FieldProblem } from '../../transport/openapi.js';
import { dangers, runStatuses, type Danger, type Run, type RunError, type RunStatus, type Scope } from './action.js';
import type { ActionAnswer, RanAnswer } from './actions.service.js';

/* What /docs and openapi.json say of actions. The classes are never made: TypeScript checks that they say what the answers hold. */

const maybeWhen = (description: string, example: string | null = null) =>
  ApiProperty({ type: 'string', format: 'date-time', nullable: true, description, example });
const maybeText = (description: string, example: string | null) => ApiProperty({ type: 'string', nullable: true, description, example });
const object = { type: 'object', additionalProperties: true } as const;

class ActionView implements ActionAnswer {
  @ApiProperty({ type: String, example: 'purge_tasks' })
  action: string;

  @ApiProperty({ type: String, example: 'Deletes tasks that match.' })
  description: string;

  @ApiProperty({
    type: 'string',
    enum: [...dangers],
    description:
      '`disruptive`: callers or workers wait, or go elsewhere; `destructive`: cannot be undone; `sensitive`: gives out what may hold secrets.',
    example: 'destructive',
  })
  danger: Danger;

  @ApiProperty({ type: 'string', enum: ['admin', 'root'], description: 'The least role that may run it.', example: 'admin' })
  role: 'admin' | 'root';

  @ApiProperty({ type: 'string', enum: ['admin.act'], description: 'Its operation in the access policy.', example: 'admin.act' })
  operation: 'admin.act';

  @ApiProperty({
    type: 'string',
    enum: ['here', 'one', 'every'],
    description: 'Who does it: the replica that is asked, the one of `replica_id`, or every one.',
    example: 'here',
  })
  scope: Scope;

  @ApiProperty({ type: Boolean, description: 'Takes long: is answered with 202, and goes on.', example: true })
  job: boolean;

  @ApiProperty({ type: Boolean, description: 'Has a dry run.', example: true })
  dry_run: boolean;

  @ApiProperty({ type: Boolean, description: 'Needs the token of a dry run.', example: true })
  confirm: boolean;

  @ApiProperty({ type: Boolean, description: 'Leaves something to download.', example: false })
  file: boolean;

  @ApiProperty({ ...object, description: 'JSON Schema (2020-12) of its parameters.', example: { type: 'object' } })
  parameters: Record<string, unknown>;
}

export class ActionListView {
  @ApiProperty({ type: () => [ActionView] })
  items: ActionView[];
}

class RunErrorView implements RunError {
  @ApiProperty({ type: String, example: 'UNAVAILABLE' })
  code: string;

  @ApiProperty({ type: String, example: 'The replica host-4711-1f0c3a5e ended before it was done.' })
  message: string;

  @ApiProperty({ type: () => [FieldProblem], required: false })
  fields?: FieldProblem[];
}

export class RunView implements Run {
  @ApiProperty({ type: 'string', format: 'uuid', example: '0198f3c2-7d1e-7a55-9b5e-3f0c8a1d2e4b' })
  id: string;

  @ApiProperty({ type: String, example: 'set_log_level' })
  action: string;

  @ApiProperty({ ...object, example: { level: 'debug' } })
  parameters: JsonObject;

  @ApiProperty({ type: Boolean, description: 'It only says what would happen.', example: false })
  dry_run: boolean;

  @ApiProperty({ type: 'string', enum: [...runStatuses], example: 'completed' })
  status: RunStatus;

  @maybeText('Who does it; null: every replica.', 'host-4711-1f0c3a5e')
  replica_id: string | null;

  @ApiProperty({ type: String, description: 'Who asked for it.', example: 'root' })
  created_by: string;

  @maybeText('Of the request that asked for it, as in the log.', '8a2f6c1e-6d0b-4b0e-9a37-5f5d7a0c9b1e')
  request_id: string | null;

  @ApiProperty({ type: 'string', format: 'date-time', example: '2026-12-01T06:00:00.000Z' })
  created_at: string;

  @maybeWhen('When its replica began.', '2026-12-01T06:00:00.000Z')
  started_at: string | null;

  @maybeWhen('When it ended.', '2026-12-01T06:00:00.000Z')
  finished_at: string | null;

  @ApiProperty({ type: Number, minimum: 0, maximum: 100, example: 100 })
  progress: number;

  @maybeText('What it is at.', null)
  progress_message: string | null;

  @ApiProperty({ ...anyJson, description: 'What came of it.', example: { version: 4 } })
  result: Json;

  @ApiProperty({ type: () => RunErrorView, nullable: true, description: 'Why it failed.' })
  error: RunErrorView | null;

  @maybeText('What can be downloaded, for an hour after its end.', null)
  file_name: string | null;

  @ApiProperty({ type: 'integer', nullable: true, description: 'Its size.', example: null })
  file_bytes: number | null;
}

export class RanView extends RunView implements RanAnswer {
  @ApiProperty({
    ...object,
    nullable: true,
    description: 'Kept nowhere, and in no other answer: the `confirm` of a dry run, a new `token`.',
    example: null,
  })
  shown_once: JsonObject | null;
}

export class RunPageView {
  @ApiProperty({ type: () => [RunView], description: 'Newest first.' })
  items: RunView[];

  @ApiProperty({
    type: 'string',
    format: 'uuid',
    nullable: true,
    description: '`cursor` of the next page; null on the last one.',
    example: null,
  })
  next_cursor: string | null;
}
