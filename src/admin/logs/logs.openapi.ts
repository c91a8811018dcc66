import { ApiExtraModels, ApiHeader, ApiProduces, ApiResponse, getSchemaPath } from '@nestjs/swagger';
import { documentedRoutes } from '../../transport/documented-routes.js';
import { LogLinesView } from './logs.views.js';

const { route } = documentedRoutes('the log', 'admin');

/** What `/docs` and `openapi.json` say of each route of `LogsController`. */
export const Documented = {
  logs: route({
    summary: 'Read or follow the log of the cluster',
    description:
      'Recent lines of all replicas, as far as they are kept (LOGS_STORED_PER_SECOND, LOGS_RETENTION_HOURS, LOGS_MAX_LINES), newest first; or, with ' +
      '`follow=true` or for callers that accept `text/event-stream`, an event `start`, then lines as they are stored: `admin_log`, after `Last-Event-ID` ' +
      'or `after` if there is one. An event `reset` says that lines before it are gone. Secrets are removed before anything is kept. Needs a token of an admin.',
    problems: ['VALIDATION_FAILED'],
    extra: [
      ApiHeader({
        name: 'Last-Event-ID',
        required: false,
        description: 'For streams: the last line you have seen.',
        schema: { type: 'string', example: '4711' },
      }),
      ApiProduces('application/json', 'text/event-stream'),
      ApiExtraModels(LogLinesView),
      ApiResponse({
        status: 200,
        description: 'One page, or the stream.',
        content: {
          'application/json': { schema: { $ref: getSchemaPath(LogLinesView) } },
          'text/event-stream': {
            schema: { type: 'string', example: 'id: 4711\nevent: admin_log\ndata: {"id":4711,"level":"warn"}\n\n' },
          },
        },
      }),
    ],
  }),
};
