import { ApiBody, ApiParam } from '@nestjs/swagger';
import type { ErrorCode } from '../../errors/error-codes.js';
import { withBody } from '../../transport/openapi.js';
import { documentedRoutes } from '../../transport/documented-routes.js';
import { PatchSilenceDto } from './silences.dto.js';
import { SilencePageView, SilenceView } from './silences.views.js';

const { route, ifMatch } = documentedRoutes('the silence');
const onSilence: ErrorCode[] = ['VALIDATION_FAILED', 'NOT_FOUND'];
const ofSilence = ApiParam({
  name: 'id',
  description: 'The silence.',
  schema: { type: 'string', format: 'uuid' },
  example: '0198f3c2-7d1e-7a55-9b5e-3f0c8a1d2e4b',
});

/** What `/docs` and `openapi.json` say of each route of `SilencesController`. */
export const Documented = {
  create: route({
    summary: 'Silence alerts',
    description:
      'From `starts_at` to `ends_at` nobody is told of alerts that all matchers match. What is still active then is told at once.',
    status: 201,
    view: SilenceView,
    tagged: true,
    problems: [...withBody, 'CONFLICT'],
  }),
  list: route({
    summary: 'List silences',
    description: 'Newest first; those that are over are there for ALERTS_RETENTION_DAYS.',
    view: SilencePageView,
    problems: ['VALIDATION_FAILED'],
  }),
  get: route({
    summary: 'Read a silence',
    description: 'Also one that is over.',
    view: SilenceView,
    tagged: true,
    problems: onSilence,
    extra: [ofSilence],
  }),
  patch: route({
    summary: 'Change a silence',
    description: 'Its end and its comment until it is over; its beginning and its matchers until it begins.',
    view: SilenceView,
    tagged: true,
    problems: [...withBody, 'NOT_FOUND', 'CONFLICT', 'VERSION_MISMATCH'],
    extra: [ofSilence, ifMatch, ApiBody({ type: PatchSilenceDto })],
  }),
  expire: route({
    summary: 'End a silence now',
    description: 'It stays readable. Active alerts that it kept back are told at once.',
    status: 204,
    problems: [...onSilence, 'CONFLICT', 'VERSION_MISMATCH'],
    extra: [ofSilence, ifMatch],
  }),
};
