import { applyDecorators } from '@nestjs/common';
import { ApiExtraModels, ApiHeader, ApiOperation, ApiParam, ApiResponse, ApiTags } from '@nestjs/swagger';
import { documentedRoutes } from '../../transport/documented-routes.js';
import { alwaysPossible, Problems, withBody } from '../../transport/openapi.js';
import { ActionListView, RanView, RunPageView, RunView } from './actions.views.js';
import { parameterDtos } from './parameters.dto.js';

const { route } = documentedRoutes('the run', 'admin');
const ofRun = ApiParam({
  name: 'id',
  description: 'The run.',
  schema: { type: 'string', format: 'uuid' },
  example: '0198f3c2-7d1e-7a55-9b5e-3f0c8a1d2e4b',
});
const idempotencyKey = ApiHeader({
  name: 'Idempotency-Key',
  required: false,
  description: 'A repetition with the same key and body has nothing done again, and gets the same run. 1 to 255 printable characters.',
  schema: { type: 'string', maxLength: 255, example: 'purge-4711' },
});
const headers: Record<string, { required?: boolean; description: string; schema: { type: 'string'; enum?: string[] } }> = {
  Location: { required: true, description: 'Where the run is.', schema: { type: 'string' } },
  'Cache-Control': { required: true, description: 'no-store', schema: { type: 'string' } },
  'Idempotency-Replayed': { description: '`true` when this is an earlier run.', schema: { type: 'string', enum: ['true'] } },
};

/** What `/docs` and `openapi.json` say of each route of `ActionsController`. */
export const Documented = {
  describe: route({
    summary: 'Describe all actions',
    description:
      'What admins can have the server do: parameters, danger, role, and whether there is a dry run. Needs a token of an admin, as all of /admin.',
    view: ActionListView,
    problems: [],
  }),
  run: applyDecorators(
    ApiTags('admin'),
    ApiExtraModels(...parameterDtos),
    ApiOperation({
      summary: 'Have something done',
      description:
        'Short actions are answered when they have ended. Jobs, and what another replica does, are answered with 202, and their run at `Location` says how far they are. ' +
        'With `dry_run` only what would happen.',
    }),
    ApiResponse({ status: 200, description: 'It has ended.', type: RanView, headers }),
    ApiResponse({ status: 202, description: 'It goes on.', type: RanView, headers }),
    Problems(...new Set([...withBody, 'NOT_FOUND' as const, 'IDEMPOTENCY_KEY_REUSED' as const, ...alwaysPossible])),
    idempotencyKey,
  ),
  list: route({
    summary: 'List runs of actions',
    description: 'Newest first; they are kept for 90 days.',
    view: RunPageView,
    problems: ['VALIDATION_FAILED'],
  }),
  get: route({
    summary: 'Read a run of an action',
    description: 'How far it is, and what came of it.',
    view: RunView,
    problems: ['VALIDATION_FAILED', 'NOT_FOUND'],
    extra: [ofRun],
  }),
  file: route({
    summary: 'Download what a run has left',
    description: 'Compressed by gzip, for an hour after its end, from any replica.',
    problems: ['VALIDATION_FAILED', 'NOT_FOUND'],
    extra: [
      ofRun,
      ApiResponse({
        status: 200,
        description: 'The file.',
        headers: {
          'Content-Disposition': { required: true, description: 'Its name.', schema: { type: 'string' } },
          'Content-Length': { required: true, description: 'Its size.', schema: { type: 'integer' } },
        },
        content: { 'application/gzip': { schema: { type: 'string', format: 'binary' } } },
      }),
    ],
  }),
};
