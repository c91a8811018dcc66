import { applyDecorators } from '@nestjs/common';
import { Choice, Text, Time, Whole } from '../../input/fields.js';
import { NumberFromQuery } from '../../input/query.js';
import { levelNames, type LogLevel } from '../../logging/log-line.js';

const anyId = { min: 0, max: Number.MAX_SAFE_INTEGER, optional: true };

/** What lines can be narrowed by. All given filters must hold. */
export class LogFilterDto {
  @Choice({ values: levelNames, optional: true, description: 'This severe or more.', example: 'warn' })
  level?: LogLevel;

  @Text({ max: 200, optional: true, description: 'In the message or the fields, in upper or lower case.', example: 'redis' })
  text?: string;

  @Time({ optional: true, description: 'Logged at this time or later.', example: '2026-11-01T00:00:00.000Z' })
  since?: string;

  @Time({ optional: true, description: 'Logged before this time.', example: '2026-12-01T00:00:00.000Z' })
  until?: string;

  @Text({ max: 100, optional: true, description: 'Of this request, as its X-Request-Id says.', example: '6f1b3c1e' })
  request_id?: string;

  @Text({ max: 100, optional: true, description: 'Of this replica.', example: 'host-4711-1f0c3a5e' })
  replica_id?: string;

  @Text({ max: 100, optional: true, description: 'Of this task.', example: '0198f3c2-7d1e-7a55-9b5e-3f0c8a1d2e4b' })
  task_id?: string;
}

const Limit = () =>
  applyDecorators(
    NumberFromQuery(),
    Whole({ min: 1, max: 200, optional: true, default: 50, description: 'At most this many lines of a page.', example: 50 }),
  );
const Before = () =>
  applyDecorators(NumberFromQuery(), Whole({ ...anyId, min: 1, description: 'The `next_cursor` of the page before.', example: 4711 }));
const After = () =>
  applyDecorators(
    NumberFromQuery(),
    Whole({ ...anyId, description: 'When following: the last line that you have seen; what came after it comes first.', example: 4711 }),
  );

export class ListLogsDto extends LogFilterDto {
  @Limit()
  limit: number = 50;

  @Before()
  cursor?: number;
}

/** The query of REST, which lists and follows. */
export class LogsQueryDto extends ListLogsDto {
  @Choice({
    values: ['true', 'false'],
    optional: true,
    description: '`true`: lines as they are stored, as text/event-stream; the same as `Accept: text/event-stream`.',
  })
  follow?: 'true' | 'false';

  @After()
  after?: number;
}

/* Socket.IO payloads and gRPC messages. */

export class SubscribeLogsMessage extends LogFilterDto {
  @After()
  after?: number;
}
