import { applyDecorators } from '@nestjs/common';
import { ApiExtraModels, ApiOperation, ApiProperty, ApiResponse, ApiTags, getSchemaPath } from '@nestjs/swagger';
import { errorCodes } from '../errors/error-codes.js';
import { ProblemView } from '../transport/openapi.js';

class ProbeView {
  @ApiProperty({ type: 'string', enum: ['up', 'degraded', 'down'], example: 'up' })
  status: string;

  @ApiProperty({ type: String, required: false, description: 'A sentence for people.', example: 'Timers run up to 3 ms late.' })
  message?: string;

  @ApiProperty({
    type: 'string',
    required: false,
    enum: ['starting', 'ready', 'draining', 'stopping'],
    description: 'Of the probe `lifecycle` alone.',
    example: 'ready',
  })
  state?: string;
}

const probes = (description: string) =>
  ({
    type: 'object',
    additionalProperties: { $ref: getSchemaPath(ProbeView) },
    description,
    example: { lifecycle: { status: 'up', state: 'ready' }, database: { status: 'up' } },
  }) as const;

const degraded = {
  type: 'string',
  isArray: true,
  description: 'Names of the probes that are degraded: the server works, but somebody should look.',
  example: ['event_loop'],
} as const;

class HealthView {
  @ApiProperty({ type: 'string', enum: ['ok', 'degraded'], example: 'ok' })
  status: string;

  @ApiProperty(probes('The probes that are up or degraded.'))
  info: Record<string, ProbeView>;

  @ApiProperty({ ...probes('The probes that are down.'), example: {} })
  error: Record<string, ProbeView>;

  @ApiProperty(probes('All of them.'))
  details: Record<string, ProbeView>;

  @ApiProperty({ ...degraded, example: [] })
  degraded: string[];
}

/** A server that is closing its connections does not look at its probes any more. */
class HealthProblemView extends ProblemView {
  @ApiProperty({
    ...probes('The probes that are down.'),
    selfRequired: false,
    example: { database: { status: 'down', message: 'No answer within 2 s.' } },
  })
  error?: Record<string, ProbeView>;

  @ApiProperty({ ...probes('All of them.'), selfRequired: false })
  details?: Record<string, ProbeView>;

  @ApiProperty({ ...degraded, required: false })
  degraded?: string[];
}

function probe(summary: string, description: string): MethodDecorator {
  const noStore = { 'Cache-Control': { required: true, description: 'no-store', schema: { type: 'string' as const } } };
  return applyDecorators(
    ApiTags('health'),
    ApiExtraModels(ProbeView, HealthProblemView),
    // Probes carry no token, and one that they carry is not looked at.
    ApiOperation({ summary, description, security: [] }),
    ApiResponse({ status: 200, description: 'Yes.', type: HealthView, headers: noStore }),
    ApiResponse({
      status: 503,
      description: `No. UNAVAILABLE: ${errorCodes.UNAVAILABLE.title}`,
      headers: {
        ...noStore,
        'Retry-After': { required: true, description: 'Seconds to wait before the next try.', schema: { type: 'integer' } },
      },
      content: { 'application/problem+json': { schema: { $ref: getSchemaPath(HealthProblemView) } } },
    }),
  );
}

/** What `/docs` and `openapi.json` say of each route of `HealthController`. */
export const Documented = {
  live: probe('Is the process alive?', 'Restart it when this fails.'),
  ready: probe(
    'Can the server take traffic?',
    'Asks the database, the event loop and whatever else it depends on. Send traffic elsewhere while this fails.',
  ),
  startup: probe('Has the server started?', 'Ask the other two only once this succeeds.'),
};
