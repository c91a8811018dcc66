import { Transform } from 'class-transformer';
import { Matches } from 'class-validator';
import { Choice, Flag, FreeJsonObject, idPattern, idRule, Text, Time, Whole } from '../../input/fields.js';
import { Cursor, NumberFromQuery } from '../../input/query.js';
import { ruleKinds, type RuleKind } from './rule.js';

function RuleId(): PropertyDecorator {
  return (target, key) => {
    Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.toLowerCase() : value))(target, key);
    Matches(idPattern, { message: idRule('a rule') })(target, key);
  };
}

const example = {
  metric: 'arkitect_tasks',
  matchers: [{ label: 'status', operator: '=', value: 'queued' }],
  group_by: ['queue'],
  threshold: 1_000,
  for_seconds: 300,
  annotations: { summary: '{{ value | round }} tasks wait in {{ labels.queue }}.' },
};

class DefinitionFields {
  @Choice({ values: ruleKinds, optional: true, default: 'threshold', description: 'A value beyond a limit, or a total that did not grow.' })
  kind: RuleKind = 'threshold';

  @FreeJsonObject({ description: 'The settings of its kind: ThresholdSpecDto or ExpectationSpecDto.', example })
  spec: Record<string, unknown>;
}

export class CreateRuleDto extends DefinitionFields {
  @Text({ max: 100, description: 'The name of its alerts; it cannot be changed.', example: 'QueueTooLong' })
  name: string;

  @Flag({ optional: true, default: true, description: 'Whether it is evaluated.' })
  enabled: boolean = true;
}

/** A rule that does not have to exist. */
export class TestRuleDto extends DefinitionFields {}

export class PatchRuleDto {
  @Flag({ optional: true, description: 'Whether it is evaluated; its alerts end when it is not.', example: false })
  enabled?: boolean;

  @FreeJsonObject({
    optional: true,
    description:
      'Settings to change; null takes one back to its default. With another metric, matchers, group_by or labels its alerts end.',
    example: { threshold: 2_000 },
  })
  spec?: Record<string, unknown>;
}

export class RulePageDto {
  @NumberFromQuery()
  @Whole({ min: 1, max: 200, optional: true, default: 50, description: 'At most this many.', example: 50 })
  limit: number = 50;

  @Cursor()
  cursor?: string;
}

/** Of which time a rule is tested. */
export class TestRangeDto {
  @Time({ optional: true, description: 'From this time on. Default: an hour before `to`.', example: '2026-11-26T08:00:00.000Z' })
  from?: string;

  @Time({ optional: true, description: 'Until this time. Default: now.', example: '2026-11-26T09:00:00.000Z' })
  to?: string;
}

export class RuleIdDto {
  @RuleId()
  id: string;
}

function Version(): PropertyDecorator {
  return Whole({ min: 1, max: Number.MAX_SAFE_INTEGER, optional: true, description: 'As the REST header If-Match.' });
}

/* Socket.IO payloads and gRPC messages. */

export class PatchRuleMessage extends PatchRuleDto {
  @RuleId()
  id: string;

  @Version()
  version?: number;
}

export class RuleVersionMessage extends RuleIdDto {
  @Version()
  version?: number;
}

export class TestStoredRuleMessage extends TestRangeDto {
  @RuleId()
  id: string;
}

export class TestRuleMessage extends TestRuleDto {
  @Time({ optional: true, description: 'From this time on. Default: an hour before `to`.' })
  from?: string;

  @Time({ optional: true, description: 'Until this time. Default: now.' })
  to?: string;
}
