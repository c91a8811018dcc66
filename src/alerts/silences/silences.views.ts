import { ApiProperty } from '@nestjs/swagger';
import { MatcherDto } from '../matcher.dto.js';
import { silenceStatuses, type Silence, type SilenceStatus } from './silence.js';

/* What /docs and openapi.json say of silences. The classes are never made: TypeScript checks that they say what the views hold. */

const id = '0198f3c2-7d1e-7a55-9b5e-3f0c8a1d2e4b';
const when = (description: string) =>
  ApiProperty({ type: 'string', format: 'date-time', description, example: '2026-12-01T06:00:00.000Z' });

export class SilenceView implements Silence {
  @ApiProperty({ type: 'string', format: 'uuid', example: id })
  id: string;

  @ApiProperty({
    type: 'string',
    enum: [...silenceStatuses],
    description: 'Whether it begins later, is at work, or is over.',
    example: 'active',
  })
  status: SilenceStatus;

  @ApiProperty({ type: () => [MatcherDto], description: 'Which alerts are not told of: those that all of these match.' })
  matchers: MatcherDto[];

  @when('When it begins.')
  starts_at: string;

  @when('When it ends.')
  ends_at: string;

  @ApiProperty({ type: String, description: 'Why.', example: 'The database moves.' })
  comment: string;

  @ApiProperty({ type: String, description: 'Who wanted it.', example: 'ops@example.com' })
  author: string;

  @ApiProperty({ type: String, description: 'Who sent it.', example: 'root' })
  created_by: string;

  @when('When it was created.')
  created_at: string;

  @when('When it was last changed.')
  updated_at: string;

  @ApiProperty({ type: 'integer', description: 'Grows with each change; also the ETag.', example: 1 })
  version: number;
}

export class SilencePageView {
  @ApiProperty({ type: () => [SilenceView], description: 'Newest first.' })
  items: SilenceView[];

  @ApiProperty({
    type: 'string',
    format: 'uuid',
    nullable: true,
    description: '`cursor` of the next page; null on the last one.',
    example: null,
  })
  next_cursor: string | null;
}
