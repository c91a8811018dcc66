import { applyDecorators } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { ErrorCode } from '../errors/error-codes.js';
import { alwaysPossible, Problems } from './openapi.js';

interface Route {
  summary: string;
  description: string;
  status?: number;
  view?: new () => object;
  /** The answer has an ETag. */
  tagged?: boolean;
  problems: ErrorCode[];
  extra?: MethodDecorator[];
}

/** How the document tells of routes to things that have versions; `what` is "the channel". */
export function documentedRoutes(what: string, tag = 'alerts'): { route: (route: Route) => MethodDecorator; ifMatch: MethodDecorator } {
  const etag = {
    ETag: { required: true, description: `The version of ${what}; send it as If-Match.`, schema: { type: 'string', example: '"1"' } },
  } as const;
  return {
    route: ({ summary, description, status = 200, view, tagged = false, problems, extra = [] }) =>
      applyDecorators(
        ApiTags(tag),
        ApiOperation({ summary, description }),
        ApiResponse({
          status,
          description: view ? 'The answer.' : 'Done.',
          ...(view && { type: view }),
          ...(tagged && { headers: etag }),
        }),
        Problems(...new Set([...problems, ...alwaysPossible])),
        ...extra,
      ),
    ifMatch: ApiHeader({
      name: 'If-Match',
      required: false,
      description: `Change only this version of ${what}.`,
      schema: { type: 'string', example: '"1"' },
    }),
  };
}
