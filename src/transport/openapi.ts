import { applyDecorators } from '@nestjs/common';
import {
  ApiExtraModels,
  ApiProperty,
  ApiResponse,
  DocumentBuilder,
  getSchemaPath,
  SwaggerModule,
  type OpenAPIObject,
} from '@nestjs/swagger';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { errorCodes, type ErrorCode } from '../errors/error-codes.js';

/** The schema of free JSON. */
export const anyJson = {
  nullable: true,
  oneOf: [
    { type: 'object', additionalProperties: true },
    { type: 'array', items: {} },
    { type: 'string' },
    { type: 'number' },
    { type: 'boolean' },
  ],
};

export class FieldProblem {
  @ApiProperty({ type: String, description: 'Path of the field as you wrote it.', example: 'parameters.url' })
  field: string;

  @ApiProperty({ type: String, description: 'What would be accepted.', example: 'must be an http or https URL' })
  message: string;
}

/** The body of every error answer (RFC 9457). */
export class ProblemView {
  @ApiProperty({
    type: String,
    format: 'uri-reference',
    description: 'Where the code is described.',
    example: '/docs/errors#VALIDATION_FAILED',
  })
  type: string;

  @ApiProperty({ type: String, example: 'Some fields are not valid' })
  title: string;

  @ApiProperty({ type: 'integer', example: 400 })
  status: number;

  @ApiProperty({ type: String, description: 'What is wrong and what to do next.', example: 'parameters.url: must be an http or https URL' })
  detail: string;

  @ApiProperty({ type: 'string', enum: Object.keys(errorCodes), example: 'VALIDATION_FAILED' })
  code: ErrorCode;

  @ApiProperty({ type: [FieldProblem], required: false })
  errors?: FieldProblem[];

  @ApiProperty({
    type: String,
    required: false,
    description: 'Also in the header x-request-id; name it when you ask for help.',
    example: '8a2f6c1e-6d0b-4b0e-9a37-5f5d7a0c9b1e',
  })
  request_id?: string;
}

/** Headers that come with the problems of a status, beside the usual ones. */
const problemAnswerHeaders: Record<
  number,
  Record<string, { required: true; description: string; schema: { type: 'string' | 'integer' } }>
> = {
  401: { 'WWW-Authenticate': { required: true, description: 'The scheme that is needed.', schema: { type: 'string' } } },
  503: { 'Retry-After': { required: true, description: 'Seconds to wait before the next try.', schema: { type: 'integer' } } },
};

/** What every route behind the guard may answer, and what every one with a body may. */
export const alwaysPossible: ErrorCode[] = ['UNAUTHENTICATED', 'FORBIDDEN', 'INTERNAL', 'UNAVAILABLE'];
export const withBody: ErrorCode[] = ['MALFORMED_REQUEST', 'VALIDATION_FAILED', 'PAYLOAD_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'];

/** The error answers of a route, one for each status. */
export function Problems(...codes: ErrorCode[]): MethodDecorator & ClassDecorator {
  const byStatus = Map.groupBy(codes, (code) => errorCodes[code].http);
  return applyDecorators(
    ApiExtraModels(ProblemView),
    ...[...byStatus].map(([status, ofStatus]) =>
      ApiResponse({
        status,
        ...(problemAnswerHeaders[status] && { headers: problemAnswerHeaders[status] }),
        description: ofStatus.map((code) => `${code}: ${errorCodes[code].title}`).join('; '),
        content: {
          'application/problem+json': {
            schema: { $ref: getSchemaPath(ProblemView) },
            example: {
              type: `/docs/errors#${ofStatus[0]}`,
              title: errorCodes[ofStatus[0]!].title,
              status,
              detail: 'A sentence that says what is wrong and what to do next.',
              code: ofStatus[0],
            },
          },
        },
      }),
    ),
  );
}

/**
 * The OpenAPI document of all controllers: `/openapi.json`, and checked in. Version 3.1, whose schemas are JSON Schema
 * itself: "may be null" is a type there, and any validator reads them as they are.
 */
export function openApiDocument(app: NestFastifyApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('ARKITECT Orchestrator')
    .setDescription(
      'A durable task orchestrator. Errors are RFC 9457 problems with a stable `code`; unknown fields are refused; lists page by cursor. ' +
        'Without a token the server answers callers on its own machine while it listens on loopback alone.',
    )
    .setVersion('1')
    .setLicense('MIT', 'https://opensource.org/license/mit')
    .addServer('/', 'The server that this document came from')
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'The admin token.' })
    .addTag('tasks', 'Create tasks, watch them, and steer them')
    .addTag('workers', 'Who runs tasks elsewhere, and the worker protocol over HTTP')
    .addTag('metrics', 'How the server and its tasks are, now and before')
    .addTag('alerts', 'Conditions that somebody should know of, and how they are told')
    .addTag('config', 'Settings, changed while the server runs')
    .addTag('admin', 'The server itself: who did what with it')
    .addTag('health', 'Probes for load balancers and Kubernetes')
    .build();
  // A token, or none where anonymous callers have a role.
  config.security = [{ bearer: [] }, {}];
  config.info.contact = { name: 'The operators of this server' };
  const document = SwaggerModule.createDocument(app, config, {
    autoTagControllers: false,
    operationIdFactory: (controller, method) => `${controller.replace('Controller', '').toLowerCase()}_${method}`,
  });
  return closeInputs(document);
}

/** Inputs take no field that they do not name; answers may grow, and say nothing of the kind. */
function closeInputs(document: OpenAPIObject): OpenAPIObject {
  for (const [name, schema] of Object.entries(document.components?.schemas ?? {})) {
    if (name.endsWith('Dto') && !('$ref' in schema)) schema.additionalProperties = false;
  }
  return document;
}

/** `/docs` for people, `/openapi.json` for programs. */
export function serveOpenApi(app: NestFastifyApplication): void {
  SwaggerModule.setup('docs', app, () => openApiDocument(app), {
    jsonDocumentUrl: 'openapi.json',
    raw: ['json'],
    customSiteTitle: 'ARKITECT Orchestrator API',
  });
}
