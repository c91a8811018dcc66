import { Choice, Flag, FreeJsonObject, IdField, IfVersion, Text, Time } from '../../input/fields.js';
import { ruleKinds, type RuleKind } from './rule.js';

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

/** Of which time a rule is tested. */
export class TestRangeDto {
  @Time({ optional: true, description: 'From this time on. Default: an hour before `to`.', example: '2026-11-26T08:00:00.000Z' })
  from?: string;

  @Time({ optional: true, description: 'Until this time. Default: now.', example: '2026-11-26T09:00:00.000Z' })
  to?: string;
}

export class RuleIdDto {
  @IdField('a rule')
  id: string;
}

/* Socket.IO payloads and gRPC messages. */

export class PatchRuleMessage extends PatchRuleDto {
  @IdField('a rule')
  id: string;

  @IfVersion()
  version?: number;
}

export class RuleVersionMessage extends RuleIdDto {
  @IfVersion()
  version?: number;
}

export class TestStoredRuleMessage extends TestRangeDto {
  @IdField('a rule')
  id: string;
}

export class TestRuleMessage extends TestRuleDto {
  @Time({ optional: true, description: 'From this time on. Default: an hour before `to`.' })
  from?: string;

  @Time({ optional: true, description: 'Until this time. Default: now.' })
  to?: string;
}
