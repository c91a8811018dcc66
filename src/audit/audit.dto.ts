import { errorCodes } from '../errors/error-codes.js';
import { Choice, Text, TextValue, Time, Whole } from '../input/fields.js';
import { NumberFromQuery } from '../input/query.js';
import { doors, type Door } from './audit-record.js';

const seq = { min: 0, max: Number.MAX_SAFE_INTEGER, optional: true };

/** Which records; all of it must hold. */
class AuditFiltersDto {
  @Text({ max: 255, optional: true, description: 'Who did it.', example: 'root' })
  principal?: string;

  @Text({ max: 100, optional: true, description: 'What was done, as the access policy names it.', example: 'config.write' })
  operation?: string;

  @Text({ max: 200, optional: true, description: 'The id of what was changed.', example: '0198f3c2-7d1e-7a55-9b5e-3f0c8a1d2e4b' })
  target?: string;

  @Choice({ values: doors, optional: true, description: 'By which door.', example: 'rest' })
  door?: Door;

  @Choice({ values: ['ok', ...Object.keys(errorCodes)], optional: true, description: '`ok`, or the code of the error.', example: 'ok' })
  outcome?: string;

  @Text({ max: 100, optional: true, description: 'The request: its header x-request-id.', example: 'my-request' })
  request_id?: string;

  @Time({ optional: true, description: 'Recorded then or later.', example: '2026-12-01T06:00:00.000Z' })
  since?: string;

  @Time({ optional: true, description: 'Recorded before then.', example: '2026-12-02T06:00:00.000Z' })
  until?: string;
}

export class ListAuditDto extends AuditFiltersDto {
  @NumberFromQuery()
  @Whole({ min: 1, max: 200, optional: true, default: 50, description: 'At most this many.', example: 50 })
  limit: number = 50;

  @NumberFromQuery()
  @Whole({ ...seq, description: 'The `next_cursor` of the page before.', example: 17 })
  cursor?: number;
}

export class ExportAuditDto extends AuditFiltersDto {
  @NumberFromQuery()
  @Whole({ ...seq, description: 'The `seq` of the last record that you have: those after it follow.', example: 17 })
  after?: number;
}

/** `17:` and the hash of record 17. */
const headPattern = /^\d{1,15}:[0-9a-f]{64}$/;

export class VerifyAuditDto {
  @TextValue({
    max: 80,
    accepts: 'the `head` of an earlier answer, unchanged',
    test: (value) => headPattern.test(value),
    optional: true,
    description: 'The `head` of an earlier answer, kept elsewhere: the log must still hold that record.',
    example: `17:${'0'.repeat(64)}`,
  })
  head?: string;
}
