import { refs } from '@nestjs/swagger';
import { Flag, FreeJsonObject, IdField, Name, Text, TextValue, Whole } from '../../input/fields.js';
import { AnyOf, PageDto } from '../../input/query.js';
import { runStatuses, type RunStatus } from './action.js';
import { parameterDtos } from './parameters.dto.js';

export class RunActionDto {
  @Name({ description: 'What is to be done; GET /admin/actions describes all.', example: 'set_log_level' })
  action: string;

  @FreeJsonObject({
    schemas: refs(...parameterDtos),
    optional: true,
    default: {},
    description: 'What the action takes.',
    example: { level: 'debug', expires_in_seconds: 900 },
  })
  parameters: Record<string, unknown> = {};

  @Flag({ optional: true, default: false, description: 'Only say what it would do.' })
  dry_run: boolean = false;

  @TextValue({
    max: 100,
    optional: true,
    accepts: 'the token that a dry run has answered, unchanged',
    test: (value) => /^[\w-]{1,100}$/.test(value),
    description: 'Of actions that need it: the token that a dry run with the same parameters has answered.',
  })
  confirm?: string;
}

export class ListRunsDto extends PageDto {
  @AnyOf({
    description: 'Of one of these actions.',
    example: 'vacuum',
    accepts: 'names of actions',
    test: (value) => /^[a-z_]{1,100}$/.test(value),
  })
  action?: string[];

  @AnyOf({
    description: 'In one of these states.',
    example: 'running',
    values: runStatuses,
    accepts: runStatuses.join(', '),
    test: (value) => (runStatuses as readonly string[]).includes(value),
  })
  status?: RunStatus[];
}

/* Socket.IO payloads and gRPC messages. */

export class RunActionMessage extends RunActionDto {
  @Text({ max: 255, optional: true, description: 'As the REST header Idempotency-Key.' })
  idempotency_key?: string;
}

export class RunMessage {
  @IdField('a run')
  id: string;
}

export class PieceMessage extends RunMessage {
  @Whole({ min: 0, max: 1_000_000, optional: true, default: 0, description: 'Which piece, from 0.' })
  position: number = 0;
}

export class SubscribeActionsMessage {
  @Whole({
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    optional: true,
    description: 'The last seq you have seen: what came after it is replayed first.',
  })
  since?: number;
}
