import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { ArrayMaxSize, IsArray, Matches, ValidateIf } from 'class-validator';
import { Text, Whole } from '../input/fields.js';
import { HistoryPageDto, TaskFiltersDto } from './task-filters.dto.js';
import { BulkCreateDto, CreateTaskDto, PatchTaskDto } from './tasks.dto.js';

/*
 * Socket.IO payloads: the REST bodies, and beside them what REST carries in path and headers.
 */

const idMessage = 'must be a task id, such as 0198f3c2-7d1e-7a55-9b5e-3f0c8a1d2e4b';

/** Any UUID in either case, as in the path of REST. */
const idPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

function TaskId(): PropertyDecorator {
  return (target, key) => {
    Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.toLowerCase() : value))(target, key);
    Matches(idPattern, { message: idMessage })(target, key);
  };
}

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
  @TaskId()
  id: string;
}

export class UpdateMessage extends PatchTaskDto {
  @TaskId()
  id: string;

  @Version()
  version?: number;
}

export class DeleteMessage extends TaskMessage {
  @Version()
  version?: number;
}

export class HistoryMessage extends HistoryPageDto {
  @TaskId()
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
