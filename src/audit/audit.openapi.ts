import { ApiResponse } from '@nestjs/swagger';
import { documentedRoutes } from '../transport/documented-routes.js';
import { AuditPageView, AuditVerdictView } from './audit.views.js';

const { route } = documentedRoutes('the audit log', 'admin');

/** What `/docs` and `openapi.json` say of each route of `AuditController`. */
export const Documented = {
  list: route({
    summary: 'List the audit log',
    description:
      'Who changed what, by any door, and who was refused: newest first. Filters combine with AND. Root sees all tenants; an admin its own, and what concerns the whole cluster.',
    view: AuditPageView,
    problems: ['VALIDATION_FAILED'],
  }),
  verify: route({
    summary: 'Verify the audit log',
    description:
      'Follows the chain of hashes from the first record that is kept to the last, and says the first thing that is wrong. `valid: false` is an answer like any other (200). ' +
      'Whoever can rewrite all records and the head is found by the `head` of an earlier answer.',
    view: AuditVerdictView,
    problems: ['VALIDATION_FAILED'],
  }),
  export: route({
    summary: 'Export the audit log',
    description: 'A record a line (NDJSON), oldest first, with the filters of the list; after an interruption go on with `after`.',
    problems: ['VALIDATION_FAILED'],
    extra: [
      ApiResponse({
        status: 200,
        description: 'The records.',
        content: { 'application/x-ndjson': { schema: { type: 'string' } } },
      }),
    ],
  }),
};
