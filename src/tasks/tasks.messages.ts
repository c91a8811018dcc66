import { ApiProperty } from '@nestjs/swagger';
import { ArrayMaxSize, IsArray, IsObject, Matches, ValidateIf } from 'class-validator';
import { HistoryPageDto } from '../input/query.js';
import { IdField, idPattern, labelKeyPattern, Text, Whole } from '../input/fields.js';
import { Raw } from '../input/validate.js';
import { TaskFiltersDto } from './task-filters.dto.js';
import { BulkCreateDto, CreateTaskDto, PatchTaskDto } from './tasks.dto.js';

/*
 * Socket.IO payloads and gRPC messages: the REST bodies, and beside them what REST carries in path, query and headers.
 */

function IdempotencyKey(): PropertyDecorator {
  return Text({ max: 255, optional: true, description: 'As the REST header Idempotency-Key.' });
}

function Version(): PropertyDecorator {
  return Whole({
    min: 1,
    max: Number.MAX_SAFE_INTEGER,
    optional: true,
    description: 'As the REST header If-Match: change only this version.',
  });
}

export class CreateMessage extends CreateTaskDto {
  @IdempotencyKey()
  idempotency_key?: string;
}

export class BulkMessage extends BulkCreateDto {
  @IdempotencyKey()
  idempotency_key?: string;
}

export class TaskMessage {
  @IdField('a task')
  id: string;
}

export class UpdateMessage extends PatchTaskDto {
  @IdField('a task')
  id: string;

  @Version()
  version?: number;
}

export class DeleteMessage extends TaskMessage {
  @Version()
  version?: number;
}

export class HistoryMessage extends HistoryPageDto {
  @IdField('a task')
  id: string;
}

export class SubscribeMessage extends TaskFiltersDto {
  @ApiProperty({ required: false, type: [String] })
  @ValidateIf((_, value: unknown) => value !== undefined)
  @IsArray({ message: 'must be a list of at most 100 task ids' })
  @ArrayMaxSize(100, { message: 'must be a list of at most 100 task ids' })
  @Matches(idPattern, { each: true, message: 'must be a list of at most 100 task ids' })
  id?: string[];

  @Whole({
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    optional: true,
    description: 'The last seq you have seen: what came after it is replayed first.',
  })
  since?: number;
}

function WaitSeconds(): PropertyDecorator {
  return Whole({ min: 0, max: 60, optional: true, description: 'As the REST parameter wait.' });
}

/** As it came: the handler reads it as the body of its REST twin, so that errors name the same fields on every door. */
function TaskBody(): PropertyDecorator {
  return (target, key) => {
    Raw()(target, key);
    IsObject({ message: 'must be a task' })(target, key);
  };
}

export class CreateRpc {
  @TaskBody()
  task: object;

  @IdempotencyKey()
  idempotency_key?: string;

  @WaitSeconds()
  wait_seconds?: number;
}

export class ExecuteRpc extends TaskMessage {
  @WaitSeconds()
  wait_seconds?: number;
}

export class ReplaceRpc extends DeleteMessage {
  @TaskBody()
  task: object;
}

const removedLabels = 'must be a list of at most 64 label keys';

export class UpdateRpc extends ReplaceRpc {
  @ValidateIf((_, value: unknown) => value !== undefined)
  @IsArray({ message: removedLabels })
  @ArrayMaxSize(64, { message: removedLabels })
  @Matches(labelKeyPattern, { each: true, message: removedLabels })
  remove_labels?: string[];
}
