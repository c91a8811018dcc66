import { ApiExtraModels, ApiProperty, getSchemaPath } from '@nestjs/swagger';
import { ruleKinds, seriesStates, type Rule, type RuleKind, type SeriesState } from './rule.js';
import { ExpectationSpecDto, ThresholdSpecDto } from './rule-specs.dto.js';
import type { Firing, RuleTest } from './rule-tester.js';
import type { RuleView } from './rules.service.js';

/* What /docs and openapi.json say of rules. The classes are never made: TypeScript checks that they say what the views hold. */

const id = '0198f3c2-7d1e-7a55-9b5e-3f0c8a1d2e4b';
const time = (description: string) => ({ type: 'string', format: 'date-time', description, example: '2026-11-26T09:00:00.000Z' }) as const;

@ApiExtraModels(ThresholdSpecDto, ExpectationSpecDto)
export class RuleSchema implements RuleView {
  @ApiProperty({ type: String, format: 'uuid', example: id })
  id: string;

  @ApiProperty({ type: String, description: 'The name of its alerts.', example: 'TaskBacklog' })
  name: string;

  @ApiProperty({ type: 'string', enum: [...ruleKinds], example: 'threshold' })
  kind: RuleKind;

  @ApiProperty({ type: 'string', enum: ['default', 'own'], description: '`default`: it came with the server.', example: 'own' })
  origin: Rule['origin'];

  @ApiProperty({ type: Boolean, example: true })
  enabled: boolean;

  @ApiProperty({ oneOf: [{ $ref: getSchemaPath(ThresholdSpecDto) }, { $ref: getSchemaPath(ExpectationSpecDto) }] })
  spec: Rule['spec'];

  @ApiProperty({
    type: 'string',
    enum: ['paused', 'ok', ...seriesStates],
    description: 'Of its series the one that is worst off; `paused` when it is not enabled.',
    example: 'ok',
  })
  state: RuleView['state'];

  @ApiProperty({
    type: 'object',
    properties: Object.fromEntries(seriesStates.map((state) => [state, { type: 'integer' as const }])),
    required: [...seriesStates],
    description: 'How many series or groups are in which state; all others are well.',
    example: { pending: 0, firing: 0, recovering: 0 },
  })
  states: Record<SeriesState, number>;

  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'How many series or groups it looks at; null when it was not evaluated yet as it is now.',
    example: 3,
  })
  series: number | null;

  @ApiProperty({ ...time('When it was last evaluated; null when it was not yet as it is now.'), nullable: true })
  last_evaluated_at: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'What was wrong with that.', example: null })
  last_error: string | null;

  @ApiProperty({ type: String, example: 'root' })
  created_by: string;

  @ApiProperty(time('When it was created.'))
  created_at: string;

  @ApiProperty(time('When it was last changed.'))
  updated_at: string;

  @ApiProperty({ type: 'integer', description: 'Grows with each change; also the ETag.', example: 1 })
  version: number;
}

export class RulePageView {
  @ApiProperty({ type: [RuleSchema] })
  items: RuleSchema[];

  @ApiProperty({ type: String, format: 'uuid', nullable: true, description: 'Send it as `cursor` for the next page.', example: null })
  next_cursor: string | null;
}

class FiringView implements Firing {
  @ApiProperty({ type: 'object', additionalProperties: { type: 'string' }, description: 'Of the alert.', example: { queue: 'default' } })
  labels: Record<string, string>;

  @ApiProperty(time('When it would have been raised.'))
  from: string;

  @ApiProperty({ ...time('When it would have ended; null when it would not have.'), nullable: true })
  to: string | null;

  @ApiProperty({ type: Number, nullable: true, description: 'The value that was furthest from being well.', example: 1_200 })
  peak: number | null;
}

export class RuleTestView implements RuleTest {
  @ApiProperty(time('The first evaluation.'))
  from: string;

  @ApiProperty(time('None is later.'))
  to: string;

  @ApiProperty({
    type: 'integer',
    description: 'Seconds between two evaluations: 10 up to six hours, 60 up to seven days, else 3,600.',
    example: 10,
  })
  step_seconds: number;

  @ApiProperty({ type: 'integer', example: 361 })
  evaluations: number;

  @ApiProperty({ type: 'integer', description: 'How many series it looked at.', example: 3 })
  series: number;

  @ApiProperty({ type: [FiringView], description: 'The first 1,000, oldest first.' })
  firings: FiringView[];

  @ApiProperty({ type: Boolean, description: 'Whether there were more.', example: false })
  truncated: boolean;
}
