import { ApiParam, ApiResponse } from '@nestjs/swagger';
import { documentedRoutes } from '../transport/documented-routes.js';
import { withBody } from '../transport/openapi.js';
import { AppliedVersionView, ChangedConfigView, ConfigHistoryView, ConfigView } from './config.views.js';

const { route, ifMatch } = documentedRoutes('the configuration', 'config');

/** What `/docs` and `openapi.json` say of each route of `ConfigController`. */
export const Documented = {
  get: route({
    summary: 'Read all settings',
    description:
      'As they are on the replica that answers: the value that holds, where it comes from (default, `.env`, environment, or an override of run time; later ones win), ' +
      'who set it, and what it hides. Secrets are never shown.',
    view: ConfigView,
    tagged: true,
    problems: [],
  }),
  set: route({
    summary: 'Change settings',
    description:
      'All of the changes or none, checked together. Settings that are `live` take effect on every replica at once, the others at its next start. ' +
      'An override wins over the environment. Needs a token of an admin.',
    view: ChangedConfigView,
    tagged: true,
    problems: [...withBody, 'VERSION_MISMATCH'],
    extra: [ifMatch],
  }),
  schema: route({
    summary: 'Describe all settings',
    description: 'JSON Schema (2020-12) of what `changes` may hold, with the meaning, the default and the unit of each setting.',
    problems: [],
    extra: [
      ApiResponse({
        status: 200,
        description: 'The schema.',
        content: { 'application/json': { schema: { type: 'object', additionalProperties: true } } },
      }),
    ],
  }),
  history: route({
    summary: 'List changes of settings',
    description: 'Versions, newest first, with what each has changed.',
    view: ConfigHistoryView,
    problems: ['VALIDATION_FAILED'],
  }),
  version: route({
    summary: 'Read a version of the settings',
    description: 'What it changed, everything that was overridden with it, and which replicas apply it, or a later one, since when.',
    view: AppliedVersionView,
    problems: ['VALIDATION_FAILED', 'NOT_FOUND'],
    extra: [ApiParam({ name: 'version', description: 'Its number.', schema: { type: 'integer', minimum: 1 }, example: 1 })],
  }),
  rollback: route({
    summary: 'Go back to a version of the settings',
    description: 'By a new version, which overrides what that one did. Time-boxed changes that are over by now stay over.',
    view: ChangedConfigView,
    tagged: true,
    problems: [...withBody, 'NOT_FOUND', 'VERSION_MISMATCH'],
    extra: [ifMatch],
  }),
};
