import { ApiProperty } from '@nestjs/swagger';
import { levelNames, type LogLevel } from '../../logging/log-line.js';
import { anyJson } from '../../transport/openapi.js';
import type { LogLineAnswer } from './logs.service.js';

/* What /docs and openapi.json say of the log. The classes are never made: TypeScript checks that they say what the answers hold. */

const maybeText = (description: string, example: string | null) => ApiProperty({ type: 'string', nullable: true, description, example });

class LogLineView implements LogLineAnswer {
  @ApiProperty({ type: 'integer', description: 'Grows over the whole cluster, in the order in which lines were stored.', example: 4711 })
  id: number;

  @ApiProperty({ type: 'string', format: 'date-time', example: '2026-12-01T06:00:00.000Z' })
  at: string;

  @ApiProperty({ type: String, description: 'Who logged it.', example: 'host-4711-1f0c3a5e' })
  replica_id: string;

  @ApiProperty({ type: 'string', enum: levelNames, example: 'warn' })
  level: LogLevel;

  @ApiProperty({ type: String, example: 'Redis is away; events and wake-ups go by the database' })
  msg: string;

  @maybeText('The request that it belongs to.', null)
  request_id: string | null;

  @maybeText('Its trace.', null)
  trace_id: string | null;

  @maybeText('The task that was run.', null)
  task_id: string | null;

  @ApiProperty({ type: 'object', additionalProperties: anyJson, description: 'Whatever else the line holds.', example: {} } as object)
  fields: Record<string, unknown>;
}

export class LogLinesView {
  @ApiProperty({ type: () => [LogLineView], description: 'Newest first.' })
  items: LogLineView[];

  @ApiProperty({ type: 'integer', nullable: true, description: '`cursor` of the next page; null on the last one.', example: null })
  next_cursor: number | null;
}
