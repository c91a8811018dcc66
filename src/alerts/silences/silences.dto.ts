import { IdField, IfVersion, Text, Time, Whole } from '../../input/fields.js';
import { AnyOf, Cursor, NumberFromQuery } from '../../input/query.js';
import { MatcherDto, Matchers } from '../matcher.dto.js';
import { silenceStatuses, type SilenceStatus } from './silence.js';

const matchers = 'Which alerts are not told of: those that all of these match.';
const endsAt = { description: 'When it ends; at most ALERTS_SILENCE_MAX_DAYS after its beginning.', example: '2026-12-01T08:00:00.000Z' };
const startsAt = 'When it begins. Without: now.';
const comment = { max: 1_000, description: 'Why.', example: 'The database moves.' };

export class CreateSilenceDto {
  @Matchers({ min: 1, description: matchers })
  matchers: MatcherDto[];

  @Time({ optional: true, description: startsAt, example: '2026-12-01T06:00:00.000Z' })
  starts_at?: string;

  @Time(endsAt)
  ends_at: string;

  @Text(comment)
  comment: string;

  @Text({ max: 255, optional: true, description: 'Who wants it. Without: who sends it.', example: 'ops@example.com' })
  author?: string;
}

export class PatchSilenceDto {
  @Matchers({ min: 1, optional: true, description: `${matchers} Only before it begins.` })
  matchers?: MatcherDto[];

  @Time({ optional: true, description: 'When it begins. Only before it does.', example: '2026-12-01T06:00:00.000Z' })
  starts_at?: string;

  @Time({ ...endsAt, optional: true })
  ends_at?: string;

  @Text({ ...comment, optional: true })
  comment?: string;
}

export class ListSilencesDto {
  @AnyOf({
    description: 'In one of these states.',
    example: 'active',
    values: silenceStatuses,
    accepts: silenceStatuses.join(', '),
    test: (value) => (silenceStatuses as readonly string[]).includes(value),
  })
  status?: SilenceStatus[];

  @NumberFromQuery()
  @Whole({ min: 1, max: 200, optional: true, default: 50, description: 'At most this many.', example: 50 })
  limit: number = 50;

  @Cursor()
  cursor?: string;
}

/* Socket.IO payloads and gRPC messages. */

export class SilenceMessage {
  @IdField('a silence')
  id: string;
}

export class ExpireSilenceMessage extends SilenceMessage {
  @IfVersion()
  version?: number;
}

export class PatchSilenceMessage extends PatchSilenceDto {
  @IdField('a silence')
  id: string;

  @IfVersion()
  version?: number;
}
