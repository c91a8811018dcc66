import { ApiExtraModels, ApiParam } from '@nestjs/swagger';
import type { ErrorCode } from '../../errors/error-codes.js';
import { documentedRoutes } from '../../transport/documented-routes.js';
import { withBody } from '../../transport/openapi.js';
import { ExpectationSpecDto, ThresholdSpecDto } from './rule-specs.dto.js';
import { RulePageView, RuleSchema, RuleTestView } from './rules.views.js';

const onRule: ErrorCode[] = ['VALIDATION_FAILED', 'NOT_FOUND'];

const { route, ifMatch } = documentedRoutes('the rule');

const ofRule = ApiParam({
  name: 'id',
  description: 'The rule.',
  schema: { type: 'string', format: 'uuid' },
  example: '0198f3c2-7d1e-7a55-9b5e-3f0c8a1d2e4b',
});
const specs = ApiExtraModels(ThresholdSpecDto, ExpectationSpecDto);

/** What `/docs` and `openapi.json` say of each route of `RulesController`. */
export const Documented = {
  create: route({
    summary: 'Create an alert rule',
    description: 'It is evaluated from the next samples on, every ten seconds.',
    status: 201,
    view: RuleSchema,
    tagged: true,
    problems: [...withBody, 'CONFLICT'],
    extra: [specs],
  }),
  list: route({
    summary: 'List alert rules',
    description: 'Newest first, each with its present state.',
    view: RulePageView,
    problems: ['VALIDATION_FAILED'],
  }),
  get: route({
    summary: 'Get an alert rule',
    description: 'With its present state, and how its last evaluation went.',
    view: RuleSchema,
    tagged: true,
    problems: onRule,
    extra: [ofRule],
  }),
  patch: route({
    summary: 'Change an alert rule',
    description: 'The given fields of `spec` alone, while everything runs. Name and kind cannot be changed.',
    view: RuleSchema,
    tagged: true,
    problems: [...withBody, 'NOT_FOUND', 'VERSION_MISMATCH'],
    extra: [ofRule, ifMatch],
  }),
  pause: route({
    summary: 'Pause an alert rule',
    description: 'It is not evaluated any more, and its alerts end.',
    view: RuleSchema,
    tagged: true,
    problems: onRule,
    extra: [ofRule],
  }),
  resume: route({
    summary: 'Resume an alert rule',
    description: 'It begins anew: nothing of before it was paused is known.',
    view: RuleSchema,
    tagged: true,
    problems: onRule,
    extra: [ofRule],
  }),
  remove: route({
    summary: 'Delete an alert rule',
    description: 'Its alerts end. One that came with the server does not come back.',
    status: 204,
    problems: [...onRule, 'VERSION_MISMATCH'],
    extra: [ofRule, ifMatch],
  }),
  test: route({
    summary: 'Test an alert rule on the history',
    description: 'Answers when it would have raised alerts. Nothing is raised, and nothing is told.',
    view: RuleTestView,
    problems: onRule,
    extra: [ofRule],
  }),
  tryOut: route({
    summary: 'Try out an alert rule on the history',
    description: 'The same for a rule that has not been created.',
    view: RuleTestView,
    problems: withBody,
    extra: [specs],
  }),
};
